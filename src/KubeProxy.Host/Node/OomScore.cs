using System.Globalization;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Host.Node;

/// <summary>Tells the kernel how dear this process is when memory runs out.</summary>
/// <param name="logger">Gets a line when it cannot be set.</param>
/// <param name="path">The kernel's file.</param>
internal sealed partial class OomScore(ILogger<OomScore> logger, string path = "/proc/self/oom_score_adj")
{
    /// <summary>The kernel's file of this process.</summary>
    public static string PathBelow(string root) => Path.Combine(root, "proc/self/oom_score_adj");

    /// <summary>Writes the adjustment, -1000 to 1000.</summary>
    public void Apply(int adjustment)
    {
        try
        {
            File.WriteAllText(path, adjustment.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            LogCannotSet(adjustment, problem.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Cannot set the out-of-memory score adjustment to {Adjustment}: {Reason}")]
    private partial void LogCannotSet(int adjustment, string reason);
}
