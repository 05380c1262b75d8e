using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;
using Microsoft.Extensions.Logging;

namespace KubeProxy.Core.Tracking;

/// <summary>Who found a problem; each finder replaces only its own.</summary>
internal enum ProblemOrigin
{
    Content,
    ConflictIPv4,
    ConflictIPv6,
    Source,
}

/// <summary>All current problems. Each is logged when it appears, not again with each new version of its object.</summary>
internal sealed partial class ProblemRegistry(ILogger logger)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(ProblemOrigin Origin, ObjectKind Kind, NamespacedName Name), IReadOnlyList<ObjectProblem>> _problems = [];

    public void Set(ProblemOrigin origin, ObjectKind kind, NamespacedName name, IReadOnlyList<ObjectProblem> problems)
    {
        IReadOnlyList<ObjectProblem>? before;
        lock (_gate)
        {
            if (problems.Count == 0)
            {
                _problems.Remove((origin, kind, name));
                return;
            }

            _problems.TryGetValue((origin, kind, name), out before);
            _problems[(origin, kind, name)] = problems;
        }

        foreach (var problem in problems)
        {
            if (before?.Contains(problem) != true) LogProblem(logger, problem);
        }
    }

    public int Count
    {
        get { lock (_gate) return _problems.Values.Sum(list => list.Count); }
    }

    /// <summary>Objects of a kind with problems of their own; they may be tracked nowhere else.</summary>
    public IEnumerable<NamespacedName> NamesOf(ObjectKind kind)
    {
        lock (_gate) return [.. _problems.Keys.Where(key => key.Origin == ProblemOrigin.Content && key.Kind == kind).Select(key => key.Name)];
    }

    public IReadOnlyList<ObjectProblem> Snapshot()
    {
        lock (_gate) return [.. _problems.Values.SelectMany(list => list).OrderBy(p => p.ToString(), StringComparer.Ordinal)];
    }

    [LoggerMessage(EventId = 100, Level = LogLevel.Warning, Message = "{Problem}")]
    private static partial void LogProblem(ILogger logger, ObjectProblem problem);
}
