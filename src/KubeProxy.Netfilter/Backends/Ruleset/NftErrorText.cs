using System.Globalization;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Ruleset;

/// <summary>What the kernel said, for people, or what we did.</summary>
internal static class NftErrorText
{
    public static string For(NftFailure failure)
    {
        if (failure.IsOwnCheck) return $"not valid, and not sent to the kernel ({failure.KernelMessage})";
        var errno = failure.Errno.ToString(CultureInfo.InvariantCulture);
        return failure.KernelMessage is { } message ? $"errno {errno} ({message})" : $"errno {errno}";
    }
}
