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
    AddressesIPv4,
    AddressesIPv6,
    Source,
}

/// <summary>All current problems. Each is logged when it appears, not again with each new version of its object.</summary>
internal sealed partial class ProblemRegistry(ILogger logger)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Scope, IReadOnlyList<ObjectProblem>> _problems = [];

    public void Set(ProblemOrigin origin, ObjectKind kind, NamespacedName name, IReadOnlyList<ObjectProblem> problems)
    {
        var scope = new Scope(origin, kind, name);
        IReadOnlyList<ObjectProblem>? before;
        lock (_gate)
        {
            if (problems.Count == 0)
            {
                _problems.Remove(scope);
                return;
            }

            _problems.TryGetValue(scope, out before);
            _problems[scope] = problems;
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
        lock (_gate)
        {
            return [.. _problems.Keys.Where(scope => scope.Origin == ProblemOrigin.Content && scope.Kind == kind).Select(scope => scope.Name)];
        }
    }

    /// <summary>What is wrong with the content of an object.</summary>
    public IReadOnlyList<ObjectProblem> Of(ObjectKind kind, NamespacedName name)
    {
        lock (_gate) return _problems.GetValueOrDefault(new Scope(ProblemOrigin.Content, kind, name), []);
    }

    public IReadOnlyList<ObjectProblem> Snapshot()
    {
        lock (_gate) return [.. _problems.Values.SelectMany(list => list).OrderBy(p => p.ToString(), StringComparer.Ordinal)];
    }

    private readonly record struct Scope(ProblemOrigin Origin, ObjectKind Kind, NamespacedName Name);

    [LoggerMessage(EventId = 100, Level = LogLevel.Warning, Message = "{Problem}")]
    private static partial void LogProblem(ILogger logger, ObjectProblem problem);
}
