namespace KubeProxy.Netlink;

/// <summary>Explains to an operator why the kernel cannot be used.</summary>
public static class NetlinkPreflight
{
    /// <summary>What is missing, judging by an error of the first contact with a part of the kernel.</summary>
    /// <param name="error">The error.</param>
    /// <param name="feature">The part, for example <c>nf_tables</c>.</param>
    /// <param name="configOption">The kernel option, for example <c>CONFIG_NF_TABLES</c>.</param>
    /// <param name="module">The module, for example <c>nf_tables</c>.</param>
    public static string Explain(NetlinkException error, string feature, string configOption, string module) => error.Errno switch
    {
        Errno.OperationNotPermitted or Errno.AccessDenied =>
            $"{feature}: not permitted; the process needs CAP_NET_ADMIN in the network namespace's user namespace ({error.Message})",
        Errno.ProtocolNotSupported or Errno.NotSupported or Errno.AddressFamilyNotSupported or Errno.NoSuchEntry =>
            $"{feature}: the kernel lacks {configOption} (module {module}, not loaded or not built) ({error.Message})",
        Errno.InvalidArgument =>
            $"{feature}: the kernel does not know the request; it may be too old, or lack {configOption} (module {module}) ({error.Message})",
        _ => $"{feature}: {error.Message}",
    };
}
