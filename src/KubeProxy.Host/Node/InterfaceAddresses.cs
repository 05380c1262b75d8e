using System.Net.NetworkInformation;
using System.Net.Sockets;
using KubeProxy.Core.Model;

namespace KubeProxy.Host.Node;

/// <summary>The addresses of this network namespace's interfaces.</summary>
internal static class InterfaceAddresses
{
    /// <summary>All addresses, in the kernel's order of interfaces; empty when they cannot be listed.</summary>
    public static IReadOnlyList<IpAddr> List()
    {
        try
        {
            return
            [
                .. NetworkInterface.GetAllNetworkInterfaces()
                    .SelectMany(link => link.GetIPProperties().UnicastAddresses)
                    .Where(unicast => unicast.Address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
                    .Select(unicast => IpAddr.From(unicast.Address)),
            ];
        }
        catch (NetworkInformationException)
        {
            return [];
        }
    }

    /// <summary>
    /// The node's own address of a family, as far as the interfaces tell: the first that is neither loopback nor
    /// link-local; null when there is none.
    /// </summary>
    public static IpAddr? Primary(IpFamily family, IReadOnlyList<IpAddr> addresses)
    {
        foreach (var address in addresses)
            if (address.Family == family && !address.IsLoopback && !address.IsLinkLocal) return address;
        return null;
    }
}
