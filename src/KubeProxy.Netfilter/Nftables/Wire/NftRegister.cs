namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>
/// Registers: 16 slots of 4 bytes. Every fourth also begins one of the four old 16-byte registers, whose number nft (and the
/// kernel, when it dumps) then prefers.
/// </summary>
internal static class NftRegister
{
    public const uint Verdict = 0; // NFT_REG_VERDICT
    public const int Slots = 16;

    private const uint FirstLong = 1; // NFT_REG_1
    private const uint FirstShort = 8; // NFT_REG32_00

    /// <summary>The kernel's number of the register that begins at a slot.</summary>
    public static uint Number(int slot) => slot % 4 == 0 ? FirstLong + ((uint)slot / 4) : FirstShort + (uint)slot;

    /// <summary>The slot that a register begins at; null for the verdict register and what is no register.</summary>
    public static int? Slot(uint number) => number switch
    {
        >= FirstLong and < FirstLong + (Slots / 4) => (int)(number - FirstLong) * 4,
        >= FirstShort and < FirstShort + Slots => (int)(number - FirstShort),
        _ => null,
    };

    /// <summary>The slot at which the next 16-byte register begins.</summary>
    public static int NextLong(int slot) => ((slot / 4) + 1) * 4;

    /// <summary>How many slots a value takes.</summary>
    public static int SlotsOf(int length) => (length + 3) / 4;
}
