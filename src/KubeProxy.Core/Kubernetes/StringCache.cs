using System.Text;

namespace KubeProxy.Core.Kubernetes;

/// <summary>
/// A small, lossy cache of strings: the same few node, zone, port and namespace names come with each of a hundred thousand
/// endpoints. For readers of wire formats. Thread-safe: races between threads only cost a hit.
/// </summary>
public sealed class StringCache
{
    private const int Slots = 4096;
    private const int MaxLength = 64;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string?[] _slots = new string?[Slots];

    /// <summary>The string, shared with whoever asked for the same one before, if it is short.</summary>
    /// <exception cref="DecoderFallbackException">The bytes are not UTF-8.</exception>
    public string Get(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length == 0) return "";
        if (utf8.Length > MaxLength) return Make(utf8);
        ref var slot = ref _slots[SlotOf(utf8)];
        var cached = slot;
        return cached is not null && Ascii.Equals(utf8, cached) ? cached : slot = Make(utf8);
    }

    /// <summary>A string of its own.</summary>
    /// <exception cref="DecoderFallbackException">The bytes are not UTF-8.</exception>
    public static string Make(ReadOnlySpan<byte> utf8) => Strict.GetString(utf8);

    private static int SlotOf(ReadOnlySpan<byte> text)
    {
        var hash = 2166136261u;
        foreach (var value in text) hash = (hash ^ value) * 16777619u;
        return (int)(hash % Slots);
    }
}
