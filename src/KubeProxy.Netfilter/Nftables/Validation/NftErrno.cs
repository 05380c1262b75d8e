namespace KubeProxy.Netfilter.Nftables.Validation;

/// <summary>Error numbers that only nf_tables answers with (<c>asm-generic/errno.h</c>).</summary>
internal static class NftErrno
{
    public const int Enfile = 23; // a set is full
    public const int Emlink = 31; // jumps are too deep, go round in a loop, or are too many
}
