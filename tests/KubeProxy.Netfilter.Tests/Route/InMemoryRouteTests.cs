using KubeProxy.Netfilter.Route;
using KubeProxy.Netfilter.Route.Testing;

namespace KubeProxy.Netfilter.Tests.Route;

public sealed class InMemoryRouteTests : RouteContract, IDisposable
{
    private readonly InMemoryRoute _route = new();

    protected override IRouteClient Client => _route;

    public void Dispose() => _route.Dispose();

    protected override IRouteSubscription Subscribe() => _route.Subscribe();
}
