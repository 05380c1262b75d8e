using KubeProxy.Netfilter.Rtnetlink;
using KubeProxy.Netfilter.Rtnetlink.Testing;

namespace KubeProxy.Netfilter.Tests.Rtnetlink;

public sealed class InMemoryRouteTests : RouteContract, IDisposable
{
    private readonly InMemoryRoute _route = new();

    protected override IRouteClient Client => _route;

    public void Dispose() => _route.Dispose();

    protected override IRouteSubscription Subscribe() => _route.Subscribe();
}
