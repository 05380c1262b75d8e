using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using KubeProxy.Core.Model;

namespace KubeProxy.Host.Inspection;

/// <summary>What <c>kube-proxy diff</c> shows: one line an object, and nothing when there is no difference.</summary>
/// <param name="Mode">The mode.</param>
/// <param name="Found">The differences, at most <see cref="Most"/>.</param>
/// <param name="Total">How many there are.</param>
internal sealed record DiffReport(string Mode, IReadOnlyList<Difference> Found, int Total)
{
    /// <summary>The most that is shown.</summary>
    public const int Most = 1000;

    /// <summary>The kernel is as planned.</summary>
    public const int Same = 0;

    /// <summary>It is not.</summary>
    public const int Different = 1;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true, NewLine = "\n" };

    /// <summary>Of all differences.</summary>
    public static DiffReport Of(string mode, IReadOnlyList<Difference> all) => new(mode, [.. all.Take(Most)], all.Count);

    /// <summary>What <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    public static DiffReport Parse(ReadOnlyMemory<byte> body)
    {
        using var json = JsonDocument.Parse(body);
        var root = json.RootElement;
        return new DiffReport(
            root.GetProperty("mode").GetString() ?? "",
            [.. root.GetProperty("differences").EnumerateArray().Select(each => new Difference(
                Enum.Parse<Core.Model.IpFamily>(each.GetProperty("family").GetString()!), Enum.Parse<DifferenceKind>(each.GetProperty("kind").GetString()!, ignoreCase: true),
                each.GetProperty("what").GetString()!))],
            root.GetProperty("total").GetInt32());
    }

    /// <summary>The exit code of the command.</summary>
    public int ExitCode => Total == 0 ? Same : Different;

    /// <summary>As text; empty without a difference.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        foreach (var (family, kind, what) in Found) text.Append(CultureInfo.InvariantCulture, $"{family} {Word(kind),-7} {SingleLine.Of(what)}\n");
        if (Total > Found.Count) text.Append(CultureInfo.InvariantCulture, $"and {Total - Found.Count} more\n");
        return text.ToString();
    }

    /// <summary>As JSON.</summary>
    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            writer.WriteString("mode", Mode);
            writer.WriteNumber("total", Total);
            writer.WriteStartArray("differences");
            foreach (var (family, kind, what) in Found)
            {
                writer.WriteStartObject();
                writer.WriteString("family", family.ToString());
                writer.WriteString("kind", Word(kind));
                writer.WriteString("what", what);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private static string Word(DifferenceKind kind) => kind.ToString().ToLowerInvariant();
}
