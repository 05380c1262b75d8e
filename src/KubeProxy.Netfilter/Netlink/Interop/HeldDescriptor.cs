using System.Runtime.InteropServices;

namespace KubeProxy.Netlink.Interop;

/// <summary>
/// The number of a descriptor, held while a call uses it: a thread that closes it meanwhile does so only afterwards, so that the call
/// cannot reach another file that has got the same number.
/// </summary>
internal readonly ref struct HeldDescriptor : IDisposable
{
    private readonly SafeHandle _handle;

    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public HeldDescriptor(SafeHandle handle)
    {
        var isHeld = false;
        handle.DangerousAddRef(ref isHeld);
        _handle = handle;
    }

    public int Number => (int)_handle.DangerousGetHandle();

    public void Dispose() => _handle.DangerousRelease();
}
