namespace KubeProxy.Core.Diff;

/// <summary>
/// The claims of one key of an <see cref="OwnedCollection{TKey, TValue, TOwner}"/>, the winner first. There may be thousands: a Service has
/// one address for all of its ports.
/// </summary>
internal sealed class OwnerClaims<TValue, TOwner>(TOwner owner, TValue value)
    where TValue : IEquatable<TValue>
    where TOwner : class, IComparable<TOwner>, IEquatable<TOwner>
{
    private readonly List<(TOwner Owner, TValue Value)> _sorted = [(owner, value)];

    public int Count => _sorted.Count;

    public (TOwner Owner, TValue Value) Winner => _sorted[0];

    /// <summary>The owners that want another value than the winner, in order.</summary>
    public IEnumerable<TOwner> Losers => _sorted.Where(claim => !claim.Value.Equals(Winner.Value)).Select(claim => claim.Owner);

    /// <summary>Whether the first and the last claim have the value, one of which is not the claim that was just added.</summary>
    public bool AgreeWith(TValue value) => _sorted[0].Value.Equals(value) && _sorted[^1].Value.Equals(value);

    public void Add(TOwner owner, TValue value)
    {
        var (low, high) = (0, _sorted.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (owner.CompareTo(_sorted[middle].Owner) < 0) high = middle;
            else low = middle + 1;
        }

        _sorted.Insert(low, (owner, value));
    }

    // Not by order: an owner that was made anew has another place.
    public void Remove(TOwner owner)
    {
        for (var i = 0; i < _sorted.Count; i++)
        {
            if (!_sorted[i].Owner.Equals(owner)) continue;
            _sorted.RemoveAt(i);
            return;
        }
    }
}
