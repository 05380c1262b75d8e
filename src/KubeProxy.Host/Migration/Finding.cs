using System.Collections.Immutable;

namespace KubeProxy.Host.Migration;

/// <summary>What an operator has to do about a difference.</summary>
internal enum FindingSeverity
{
    /// <summary>Nothing: good to know.</summary>
    Note,

    /// <summary>To decide whether it matters, before the mode is changed.</summary>
    Decide,

    /// <summary>To find out: it could not be told here.</summary>
    Unknown,
}

/// <summary>One difference that a change of mode makes on this node.</summary>
/// <param name="Id">A name for scripts, which stays the same between releases.</param>
/// <param name="Severity">What to do about it.</param>
/// <param name="Summary">The difference, as a sentence.</param>
/// <param name="Advice">What can be done; empty for nothing.</param>
internal sealed record Finding(string Id, FindingSeverity Severity, string Summary, string Advice = "")
{
    /// <summary>What exactly it is about: a service port, an address, a chain; each with what is known of it.</summary>
    public ImmutableArray<FindingSubject> Subjects { get; init; } = [];
}

/// <summary>Something that a finding is about.</summary>
/// <param name="Name">Its name, for example <c>default/web:http</c> or <c>ip filter FORWARD</c>.</param>
/// <param name="Detail">What is known of it; empty for nothing.</param>
internal readonly record struct FindingSubject(string Name, string Detail = "");
