using KubeProxy.Core.Model;

namespace KubeProxy.Host.Configuration;

/// <summary>Something wrong with one field of the configuration.</summary>
/// <param name="Path">The field.</param>
/// <param name="Reason">What is wrong with it.</param>
/// <param name="Line">The line of the file, from 1; null when it does not come from a file.</param>
public sealed record ConfigurationProblem(string Path, string Reason, int? Line = null)
{
    /// <summary><c>line 3: path: reason</c>.</summary>
    public override string ToString() => SingleLine.Of(Line is { } line ? $"line {line}: {Path}: {Reason}" : $"{Path}: {Reason}");
}

/// <summary>The configuration cannot be used; has every reason found.</summary>
public sealed class ConfigurationException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="source">The file, or null for flags.</param>
    /// <param name="problems">At least one problem.</param>
    public ConfigurationException(string? source, IReadOnlyList<ConfigurationProblem> problems)
        : base(Describe(source, problems)) => Problems = problems;

    /// <summary>Every problem found, in the order of the fields.</summary>
    public IReadOnlyList<ConfigurationProblem> Problems { get; }

    private static string Describe(string? source, IReadOnlyList<ConfigurationProblem> problems)
    {
        var where = source is null ? "" : $"{source}: ";
        return problems.Count == 1
            ? $"{where}{problems[0]}"
            : $"{where}{problems.Count} problems:\n" + string.Join('\n', problems.Select(problem => $"  {problem}"));
    }
}
