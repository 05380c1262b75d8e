using System.Runtime.InteropServices;

namespace KubeProxy.Netlink.Interop;

/// <summary><c>struct sock_filter</c> (linux/filter.h), one instruction of classic BPF, which Tmds.LibC has not.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SockFilter
{
    public ushort Code;
    public byte JumpTrue;
    public byte JumpFalse;
    public uint K;
}

/// <summary><c>struct sock_fprog</c> (linux/filter.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SockFilterProgram
{
    public ushort Length;
    public SockFilter* Filter;
}
