using KubeProxy.Core.Kubernetes;

namespace KubeProxy.Kubernetes;

/// <summary>How <see cref="ApiServerSource"/> lists and watches. The defaults are for production.</summary>
public sealed record ApiServerSourceOptions
{
    /// <summary>The own node.</summary>
    public required string NodeName { get; init; }

    /// <summary>
    /// Whether all Nodes are watched, and not only the own one. Every node that does so gets every change of every Node, at least one in five
    /// minutes each: costly in clusters of thousands.
    /// </summary>
    public bool WatchAllNodes { get; init; }

    /// <summary>Objects in a page of a list; 0 for no pages.</summary>
    public int PageSize { get; init; } = 500;

    /// <summary>
    /// Whether to ask for the initial state as a stream of events (<c>sendInitialEvents</c>), which costs the server little. A
    /// server that cannot do it is asked for a list.
    /// </summary>
    public bool StreamInitialState { get; init; } = true;

    /// <summary>The least time after which the server is to end a watch; the most is twice that.</summary>
    public TimeSpan WatchTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// While the server is away: the wait before the first attempt to reach it, at most, and half of that at least; twice as much before each
    /// further one.
    /// </summary>
    public TimeSpan FirstReconnect { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest wait between two attempts to reach a server that is away; the least is half of it.</summary>
    public TimeSpan LongestReconnect { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long after a watch was resumed, give or take half of it, a server that has said nothing is asked whether it has come so far.
    /// </summary>
    public TimeSpan FirstSilenceCheck { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>The same while a watch goes on: longer than the time between two bookmarks, which is a minute.</summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>
    /// When one kind alone fails: the wait after the first failure, give or take half of it; twice as much after each further one.
    /// </summary>
    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest wait, give or take half of it.</summary>
    public TimeSpan LongestBackoff { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a server that does not know a kind is asked again.</summary>
    public TimeSpan MissingKindRetry { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Source of jitter.</summary>
    public Random Random { get; init; } = Random.Shared;
}
