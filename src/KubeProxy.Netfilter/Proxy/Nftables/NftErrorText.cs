using System.Globalization;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Proxy.Nftables;

/// <summary>What the kernel said, for people.</summary>
internal static class NftErrorText
{
    public static string For(NftFailure failure)
    {
        var errno = failure.Errno.ToString(CultureInfo.InvariantCulture);
        return failure.KernelMessage is { } message ? $"errno {errno} ({message})" : $"errno {errno}";
    }
}
