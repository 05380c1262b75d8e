using System.Diagnostics.CodeAnalysis;

namespace KubeProxy.Host.Migration;

/// <summary>Something about the node that was found out, or the reason why it could not be.</summary>
internal readonly record struct Fact<T>
{
    private readonly T? _value;

    /// <summary>It is known.</summary>
    public Fact(T value) => _value = value;

    private Fact(string problem) => Problem = problem;

    /// <summary>Why it is not known; null when it is.</summary>
    public string? Problem { get; }

    /// <summary>It is not known.</summary>
    public static Fact<T> Unknown(string problem) => new(problem);

    /// <summary>The value, if it is known.</summary>
    public bool TryGet([MaybeNullWhen(false)] out T value)
    {
        value = _value;
        return Problem is null;
    }
}
