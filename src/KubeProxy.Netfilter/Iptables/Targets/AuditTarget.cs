using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary>What <see cref="AuditTarget"/> notes (<c>XT_AUDIT_TYPE_*</c>).</summary>
public enum AuditType : byte
{
    /// <summary>accept.</summary>
    Accept = 0, // XT_AUDIT_TYPE_ACCEPT

    /// <summary>drop.</summary>
    Drop = 1, // XT_AUDIT_TYPE_DROP

    /// <summary>reject.</summary>
    Reject = 2, // XT_AUDIT_TYPE_REJECT
}

/// <summary><c>-j AUDIT</c>: an audit record of the packet.</summary>
/// <param name="Type">What it says.</param>
public sealed record AuditTarget(AuditType Type) : IptablesTarget
{
    // struct xt_audit_info (xt_AUDIT.h): | type u8 |
    internal static XtCodec<IptablesTarget> Codec { get; } = new XtCodec<IptablesTarget, AuditTarget>(
        "AUDIT", 0, 8, static (info, in _) => info[0] > 2 ? null : new AuditTarget((AuditType)info[0]), static (target, info, in _) => info[0] = (byte)target.Type,
        static (target, text) => text.Add($"--type {target.Type.ToString().ToLowerInvariant()}"));
}
