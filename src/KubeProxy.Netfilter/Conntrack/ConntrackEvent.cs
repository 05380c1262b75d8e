namespace KubeProxy.Netfilter.Conntrack;

/// <summary>Something happened to the conntrack table.</summary>
/// <param name="Kind">What: one bit.</param>
public readonly record struct ConntrackEvent(ConntrackEventKind Kind)
{
    /// <summary>
    /// The flow after it; null for events of expectations and for <see cref="ConntrackEventKind.Lost"/>. The event of a change has what changed and the
    /// tuples; that of an end has the counters and times.
    /// </summary>
    public Flow? Flow { get; init; }

    /// <summary>The expectation; null for other events.</summary>
    public Expectation? Expectation { get; init; }
}

/// <summary>Kinds of events: one, or those to listen to.</summary>
[Flags]
public enum ConntrackEventKind
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>A flow began, or was put into the table.</summary>
    FlowCreated = 1 << 0,

    /// <summary>A flow changed: answered, assured, another state of its protocol, mark, labels, helper.</summary>
    FlowUpdated = 1 << 1,

    /// <summary>A flow ended, or was deleted.</summary>
    FlowDestroyed = 1 << 2,

    /// <summary>A helper announced a flow.</summary>
    ExpectationCreated = 1 << 3,

    /// <summary>An announced flow came, or is no longer awaited.</summary>
    ExpectationDestroyed = 1 << 4,

    /// <summary>Events were lost, because they came faster than they were read: anything may have changed. Always told.</summary>
    Lost = 1 << 5,

    /// <summary>All events of flows.</summary>
    Flows = FlowCreated | FlowUpdated | FlowDestroyed,

    /// <summary>All events of expectations.</summary>
    Expectations = ExpectationCreated | ExpectationDestroyed,
}
