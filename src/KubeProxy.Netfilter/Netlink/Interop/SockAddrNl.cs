using System.Runtime.InteropServices;

namespace KubeProxy.Netlink.Interop;

/// <summary><c>struct sockaddr_nl</c> (linux/netlink.h), which Tmds.LibC has not.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SockAddrNl
{
    public ushort Family;
    public ushort Padding;
    public uint PortId;
    public uint Groups;
}
