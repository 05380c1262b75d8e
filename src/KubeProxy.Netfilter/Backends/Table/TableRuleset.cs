using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Nftables;

namespace KubeProxy.Netfilter.Backends.Table;

/// <summary>The proxy's own table: it is replaced as a whole when it is in another layout, and filled in pieces when it is new.</summary>
internal sealed class TableRuleset(TableState state, TableReader reader, TableWriter writer, NftTable table, int coldStartSize, ICarryOver? carryOver = null) : IRuleset
{
    public bool HasChanges => state.HasChanges || reader.FoundDormant;

    public int ChangeCount => state.ChangeCount + (reader.FoundDormant ? 1 : 0);

    public bool MustLookAfterRefusal { get; private set; }

    public Task<uint> ReadAsync(bool thorough, CancellationToken cancellationToken) => reader.ReadAsync(thorough, cancellationToken);

    public async ValueTask<IEnumerable<List<PendingWrite>>> WriteAsync(bool separateElements, CancellationToken cancellationToken)
    {
        // Before anything is forgotten, and as late as possible: a client that comes after that is not carried over.
        var carried = carryOver is null ? [] : await carryOver.WriteAsync(cancellationToken);
        MustLookAfterRefusal = reader.Found && (reader.FoundOtherKind || writer.NeedsReplacement);
        if (MustLookAfterRefusal) writer.Forget();
        List<PendingWrite> prefix = MustLookAfterRefusal
            ? [Prefix(transaction => transaction.Delete(table.Key)), Prefix(transaction => transaction.Add(table))]
            // Adding a table that is there sets its flags, so this wakes it up.
            : reader.Found && !reader.FoundDormant ? [] : [Prefix(transaction => transaction.Add(table))];
        var writes = writer.Write(separateElements ? 1 : TableWriter.UsualOperationSize);
        if (!MustLookAfterRefusal && !reader.Found) return Slice(prefix, writes);
        return [[.. prefix, .. writes, .. carried]];
    }

    public List<PendingWrite> WriteSweep() => writer.WriteSweep();

    public bool KeepsAfterRefusedSweep() => false;

    private PendingWrite Prefix(Func<NftTransaction, NftTransaction> addTo) =>
        new() { Count = 0, AddTo = addTo, Acknowledge = reader.NoteFound, OwnerOf = _ => null };

    private List<List<PendingWrite>> Slice(List<PendingWrite> prefix, List<PendingWrite> writes)
    {
        List<List<PendingWrite>> slices = [prefix];
        var size = 0;
        foreach (var write in writes)
        {
            if (size > 0 && size + write.Count > coldStartSize)
            {
                slices.Add([]);
                size = 0;
            }

            slices[^1].Add(write);
            size += write.Count;
        }

        return slices;
    }
}
