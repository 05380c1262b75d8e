using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Migration;

/// <summary>Whether the kernel can do it.</summary>
internal static class KernelChecks
{
    /// <summary>All of them.</summary>
    public static IEnumerable<Finding> Run(MigrationContext context)
    {
        if (context.Node.Kernel < context.New.OldestKernel)
        {
            yield return new Finding(
                "kernel-version", FindingSeverity.Decide, $"Mode {context.After.Mode} needs Linux {context.New.OldestKernel}; this is {context.Node.Kernel}.", "Update the kernel first.");
        }

        // Every mode writes nf_tables, the iptables mode by way of its compat expressions.
        if (context.Node.HostChains.Problem is { } problem)
            yield return new Finding("nf-tables", FindingSeverity.Unknown, $"Whether the kernel has nf_tables cannot be told: {problem}.", "Run this as root, on the node.");
        if (context.New.Mode != ProxyMode.Ipvs) yield break;
        if (!context.Node.HasIpvs.TryGet(out var hasIpvs))
            yield return new Finding("ipvs", FindingSeverity.Unknown, $"Whether the kernel has IPVS cannot be told: {context.Node.HasIpvs.Problem}.", "Run this as root, on the node.");
        else if (!hasIpvs)
            yield return new Finding("ipvs", FindingSeverity.Decide, "The kernel has no IPVS, or its module is not loaded.", "Load ip_vs and ip_vs_rr, and have them loaded at boot.");
    }
}
