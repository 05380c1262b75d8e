using KubeProxy.Ipvs;
using KubeProxy.Ipvs.Tests;

namespace KubeProxy.Kernel.Tests.Ipvs;

[Trait("Kernel", "uml")]
public sealed class IpvsClientTests : IpvsContract, IDisposable
{
    private readonly IpvsNode _node = IpvsNode.Create();

    protected override IIpvs Ipvs => _node.Client;

    public void Dispose() => _node.Dispose();
}
