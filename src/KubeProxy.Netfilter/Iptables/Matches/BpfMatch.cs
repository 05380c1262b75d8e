using System.Collections.Immutable;
using KubeProxy.Netfilter.Iptables.Wire;

namespace KubeProxy.Netfilter.Iptables;

/// <summary><c>-m bpf</c>: a program of the classic packet filter, as bytes, or one that is pinned in a file system.</summary>
/// <param name="Program">Up to 64 instructions of 8 bytes (<c>struct sock_filter</c>, in the host's order); empty with <paramref name="Path"/>.</param>
/// <param name="Path">The pinned program, 1 to 511 bytes; null for <paramref name="Program"/>.</param>
public sealed record BpfMatch(ImmutableArray<byte> Program, string? Path = null) : IptablesMatch
{
    private const int InstructionSize = 8;
    private const int Limit = 64; // XT_BPF_MAX_NUM_INSTR
    private const int ProgramAt = 8;
    private const ushort Pinned = 1; // XT_BPF_MODE_FD_PINNED

    // struct xt_bpf_info_v1 (xt_bpf.h): | mode u16 | bpf_program_num_elem u16 | fd s32 | program 8[64] or path char[512] | pointer |
    internal static XtCodec<IptablesMatch> Codec { get; } = new XtCodec<IptablesMatch, BpfMatch>("bpf", 1, 528, Read, Write, Print);

    /// <inheritdoc/>
    public bool Equals(BpfMatch? other) => other is not null && Path == other.Path && Program.AsSpan().SequenceEqual(other.Program.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Program.AsSpan());
        return hash.ToHashCode();
    }

    private static BpfMatch? Read(ReadOnlySpan<byte> info, in XtContext context) => info.U16(0) switch
    {
        0 when info.U16(2) <= Limit => new BpfMatch([.. info.Slice(ProgramAt, info.U16(2) * InstructionSize)]),
        Pinned => info.Text(ProgramAt, Limit * InstructionSize) is { Length: > 0 } path ? new BpfMatch([], path) : null,
        _ => null,
    };

    private static void Write(BpfMatch match, Span<byte> info, in XtContext context)
    {
        if (match.Path is { } path)
        {
            info.Put(0, Pinned);
            info.Put(ProgramAt, Limit * InstructionSize, path);
            return;
        }

        if (match.Program.Length % InstructionSize != 0 || match.Program.Length > Limit * InstructionSize) throw new ArgumentException("No whole instructions.", nameof(match));
        info.Put(2, (ushort)(match.Program.Length / InstructionSize));
        match.Program.AsSpan().CopyTo(info[ProgramAt..]);
    }

    private static void Print(BpfMatch match, IptablesArguments text)
    {
        if (match.Path is { } path)
        {
            text.Add($"--object-pinned {path}");
            return;
        }

        var program = match.Program;
        var instructions = Enumerable.Range(0, program.Length / InstructionSize).Select(i =>
        {
            var at = program.AsSpan()[(i * InstructionSize)..];
            return $",{at.U16(0)} {at[2]} {at[3]} {at.U32(4)}";
        });
        text.Add($"--bytecode \"{program.Length / InstructionSize}{string.Concat(instructions)}\"");
    }
}
