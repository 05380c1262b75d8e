using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using KubeProxy.Core.Sync;

namespace KubeProxy.Host.Http;

/// <summary>Why nothing has been programmed yet, as far as that is not the kernel's doing.</summary>
internal static class StartDoubts
{
    /// <summary>What is waited for, for people; empty once a family is in force.</summary>
    /// <param name="status">What the engine holds.</param>
    /// <param name="wait">What the start waits for besides objects; null when nothing.</param>
    public static IEnumerable<string> Of(ProxyStatus status, string? wait)
    {
        if (wait is not null) yield return SingleLine.Of("waiting: " + wait);
        if (status.Families.Any(family => family.Syncs > 0)) yield break;
        var missing = ObjectKinds.All.Except(status.Synced).Select(kind => kind.ToName()).ToList();
        if (missing.Count == 0) yield break;
        yield return $"waiting: not read yet: every {string.Join(", ", missing)}";
        // Those without a kind are of the source, not of an object.
        foreach (var problem in status.Problems.Where(problem => problem.Kind.Length == 0)) yield return problem.ToString();
    }
}
