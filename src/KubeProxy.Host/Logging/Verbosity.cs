using System.IO.Enumeration;
using KubeProxy.Host.Configuration;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Logging;

/// <summary>
/// What <c>-v</c> and <c>--vmodule</c> let through: 0 to 3 <see cref="LogLevel.Information"/> and worse, 4 and 5
/// <see cref="LogLevel.Debug"/> (something per sync), 6 and more <see cref="LogLevel.Trace"/> (something per object).
/// </summary>
/// <param name="General">The verbosity of <c>-v</c>.</param>
/// <param name="Modules">The exceptions; the first that matches the last part of a category counts.</param>
public sealed record Verbosity(uint General, IReadOnlyList<VModuleItem> Modules)
{
    /// <summary>The least severe level that a category logs.</summary>
    public LogLevel LevelOf(string category)
    {
        ArgumentNullException.ThrowIfNull(category);
        var source = category.AsSpan(category.LastIndexOf('.') + 1);
        foreach (var module in Modules)
            if (FileSystemName.MatchesSimpleExpression(module.FilePattern, source)) return ToLevel(module.Verbosity);
        return ToLevel(General);
    }

    private static LogLevel ToLevel(uint verbosity) => verbosity switch
    {
        >= 6 => LogLevel.Trace,
        >= 4 => LogLevel.Debug,
        _ => LogLevel.Information,
    };
}
