namespace KubeProxy.Netfilter.Nftables.Wire;

/// <summary>
/// Makes ranges of the boundaries that the kernel lists: first values, and ends (the first value that is no more in the range).
/// Ends may be missing where the next range begins, and at the very end. The kernel's rbtree lists from the highest down; the
/// other direction is understood too.
/// </summary>
internal sealed class NftIntervalJoiner(Action<NftElement> visit)
{
    private (NftElement Element, bool IsEnd)? _previous;
    private bool? _isAscending;

    public void Add(in NftElement element, bool isEnd)
    {
        if (_previous is { } previous)
        {
            _isAscending ??= Direction(previous.Element.Key, element.Key);
            if (_isAscending == true && !previous.IsEnd) Emit(previous.Element, element.Key);
            if (_isAscending == false && !isEnd) Emit(element, previous.Element.Key);
            if (_isAscending is null && !isEnd && previous.IsEnd) _isAscending = false; // one range ends where another begins
        }
        else if (!isEnd)
        {
            // Without a boundary above it in a descending list, the range is open. In an ascending list the next one decides.
            _firstIsOpen = true;
        }

        _previous = (element, isEnd);
        _first ??= (element, isEnd);
    }

    private (NftElement Element, bool IsEnd)? _first;
    private bool _firstIsOpen;

    public void Finish()
    {
        if (_firstIsOpen && _isAscending != true && _first is { } first) EmitOpen(first.Element);
        if (_isAscending == true && _previous is { IsEnd: false } last) EmitOpen(last.Element);
        Restart();
    }

    public void Restart() => (_previous, _first, _isAscending, _firstIsOpen) = (null, null, null, false);

    private static bool? Direction(in NftData previous, in NftData next) => previous.Span.SequenceCompareTo(next.Span) switch
    {
        < 0 => true,
        > 0 => false,
        0 => null,
    };

    /// <param name="element">The range.</param>
    /// <param name="above">The lowest value above it.</param>
    private void Emit(in NftElement element, in NftData above)
    {
        Span<byte> last = stackalloc byte[above.Length];
        above.Span.CopyTo(last);
        if (element.Key.Length != above.Length || element.Key.Span.SequenceCompareTo(last) >= 0) return; // no range that a kernel has
        NftIntervals.Decrement(last);
        visit(element with { KeyEnd = new NftData(last) });
    }

    private void EmitOpen(in NftElement element)
    {
        Span<byte> last = stackalloc byte[element.Key.Length];
        last.Fill(0xFF);
        visit(element with { KeyEnd = new NftData(last) });
    }
}
