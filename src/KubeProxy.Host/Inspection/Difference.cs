using KubeProxy.Core.Model;

namespace KubeProxy.Host.Inspection;

/// <summary>How the kernel differs from the plan.</summary>
internal enum DifferenceKind
{
    /// <summary>The kernel does not have it.</summary>
    Missing,

    /// <summary>The kernel has it otherwise; the text is what it should be.</summary>
    Changed,

    /// <summary>The kernel has it, and should not.</summary>
    Surplus,

    /// <summary>The kernel refused it.</summary>
    Refused,
}

/// <summary>One object in which the kernel differs from the plan.</summary>
/// <param name="Family">The family.</param>
/// <param name="Kind">How.</param>
/// <param name="What">The object, in the words of the tool that lists it.</param>
internal readonly record struct Difference(IpFamily Family, DifferenceKind Kind, string What);
