using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Rtnetlink;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Backends.Userspace;

/// <summary>
/// Has packets with the mark routed to this host, whatever their destination. Without marked packets it has no effect, so it
/// does no harm when it outlives the process.
/// </summary>
internal sealed class LocalRouting(IRouteClient routes, IpFamily family) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private IRouteSubscription? _subscription;
    private Task _following = Task.CompletedTask;
    private volatile bool _isInDoubt = true;

    /// <summary>The routing table: the letters "kp".</summary>
    public const uint Table = 0x6B70;

    // After the table local (0), before those of network plugins, which begin at about 100 and at 512.
    private const uint Priority = 60;

    /// <summary>Whether rule or route may be missing: nobody looked yet, or one went since.</summary>
    public bool IsInDoubt => _isInDoubt;

    /// <summary>Begins to watch for the removal of rules and of the route, in the network namespace of the calling thread.</summary>
    /// <param name="requestSync">Called when one of them may be missing, on a thread of the pool.</param>
    public void Watch(Action<string> requestSync)
    {
        _subscription = routes.Subscribe(routes: true);
        _following = Task.Run(() => FollowAsync(_subscription, requestSync));
    }

    /// <summary>Adds what is missing.</summary>
    public async Task EnsureAsync(uint mark, CancellationToken cancellationToken)
    {
        _isInDoubt = false;
        try
        {
            await Ignoring(Errno.Exists, () => routes.AddLocalDefaultAsync(family, Table, cancellationToken));
            await Ignoring(Errno.Exists, () => routes.AddRuleAsync(new PolicyRule(family, mark, mark, Table, Priority), cancellationToken));
        }
        catch
        {
            _isInDoubt = true;
            throw;
        }
    }

    /// <summary>Removes what is there, whatever the mark was.</summary>
    /// <returns>Whether there was anything.</returns>
    public async Task<bool> RemoveAsync(CancellationToken cancellationToken)
    {
        var hadRule = await Ignoring(Errno.NoSuchEntry, () => routes.DeleteRuleAsync(new PolicyRule(family, 0, 0, Table, Priority), cancellationToken));
        var hadRoute = await Ignoring(Errno.NoSuchProcess, () => routes.DeleteLocalDefaultAsync(family, Table, cancellationToken));
        return hadRule || hadRoute;
    }

    /// <summary>Stops watching. Rule and route stay.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _subscription?.Dispose();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task FollowAsync(IRouteSubscription subscription, Action<string> requestSync)
    {
        await foreach (var change in subscription.ReadAsync(_stop.Token))
        {
            var isConcerned = change switch
            {
                RouteChange.RuleRemoved rule => rule.Family == family,
                RouteChange.RouteRemoved route => route.Family == family && route.Table == Table,
                _ => change is RouteChange.Lost,
            };
            if (!isConcerned) continue;
            _isInDoubt = true;
            requestSync("the rule of policy routing, or its route, was removed");
        }
    }

    private static async Task<bool> Ignoring(int errno, Func<Task> action)
    {
        try
        {
            await action();
            return true;
        }
        catch (NetlinkException e) when (e.Errno == errno)
        {
            return false;
        }
    }
}
