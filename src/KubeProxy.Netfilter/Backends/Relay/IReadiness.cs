namespace KubeProxy.Netfilter.Backends.Relay;

/// <summary>Something with a file descriptor that an <see cref="EventLoop"/> watches.</summary>
internal interface IReadiness
{
    /// <summary>Handles what epoll reported. Called on the loop's thread.</summary>
    /// <param name="happenings"><c>EPOLL*</c> bits.</param>
    void OnReady(int happenings);

    /// <summary>Gives up, because handling failed in a way that nobody thought of.</summary>
    void Abandon();
}

/// <summary>Something that has to be done at a time.</summary>
internal interface IDeadline
{
    /// <summary>When, in milliseconds of <see cref="EventLoop.Now"/>; <see cref="long.MaxValue"/> for never.</summary>
    long Due { get; }

    /// <summary>Does it. Called on the loop's thread when <see cref="Due"/> is not after now.</summary>
    void OnDue();
}
