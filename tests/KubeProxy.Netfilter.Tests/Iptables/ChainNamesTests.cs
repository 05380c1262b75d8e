using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Backends.Iptables;

namespace KubeProxy.Netfilter.Tests.Iptables;

public class ChainNamesTests
{
    [Theory]
    [InlineData("ns1", "svc1", "p80", Protocol.Tcp, "XPGD46QRK7WJZT7O")]
    [InlineData("default", "kubernetes", "https", Protocol.Tcp, "NPX46M4PTMTKRN6Y")]
    [InlineData("kube-system", "kube-dns", "dns", Protocol.Udp, "TCOU7JCQXEZGVUNU")]
    [InlineData("kube-system", "kube-dns", "dns-tcp", Protocol.Tcp, "ERIFXISQEP7F7OF4")]
    [InlineData("ns", "noname", "", Protocol.Tcp, "J6ETZERLML2FBL3F")]
    public void Hash_of_a_service_port(string ns, string name, string port, Protocol protocol, string hash) =>
        Assert.Equal(hash, ChainNames.Hash(new ServicePortName(new NamespacedName(ns, name), port, protocol)));

    [Theory]
    [InlineData("ns1", "svc1", "p80", Protocol.Tcp, "10.180.0.1:80", "KUBE-SEP-SXIVWICOYRO3J4NJ")]
    [InlineData("ns", "v6", "p", Protocol.Sctp, "[fd00::1]:80", "KUBE-SEP-NKLFRO56HVYHP7GA")]
    public void Name_of_an_endpoint_chain(string ns, string name, string port, Protocol protocol, string endpoint, string chain) =>
        Assert.Equal(chain, ChainNames.OfEndpoint(new ServicePortName(new NamespacedName(ns, name), port, protocol), endpoint));
}
