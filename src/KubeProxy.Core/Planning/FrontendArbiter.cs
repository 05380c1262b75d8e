using System.Runtime.InteropServices;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Planning;

/// <summary>
/// Decides which of several service ports of one family gets a frontend that they all claim: the older one, then the one with
/// the smaller name; whatever the order in which the claims came. A call costs O(keys of the owner), and where a key gets another
/// winner O(claimants of the key).
/// </summary>
internal sealed class FrontendArbiter
{
    private readonly Dictionary<FrontendKey, Claimant> _winners = [];
    private readonly Dictionary<FrontendKey, SortedSet<Claimant>> _losers = [];
    private readonly Dictionary<ServicePortName, Claims> _claims = [];

    /// <summary>The number of owners with claims.</summary>
    public int OwnerCount => _claims.Count;

    /// <summary>The number of keys that somebody claims.</summary>
    public int KeyCount => _winners.Count;

    /// <summary>The number of keys that more than one owner claims.</summary>
    public int ContestedCount => _losers.Count;

    /// <summary>Makes room for that many owners with one key each, which is then not made step by step.</summary>
    public void EnsureCapacity(int owners)
    {
        _claims.EnsureCapacity(owners);
        _winners.EnsureCapacity(owners);
    }

    /// <summary>Replaces all claims of an owner.</summary>
    /// <param name="owner">The owner.</param>
    /// <param name="createdAt">Its age.</param>
    /// <param name="keys">What it claims now.</param>
    /// <param name="affected">Receives the other claimants of every key that gets another winner by this.</param>
    public void Claim(ServicePortName owner, DateTimeOffset createdAt, ReadOnlySpan<FrontendKey> keys, ISet<ServicePortName> affected)
    {
        ArgumentNullException.ThrowIfNull(affected);
        if (_claims.TryGetValue(owner, out var before))
        {
            if (before.CreatedAt == createdAt && keys.SequenceEqual(before.Keys)) return;
            Withdraw(owner, before, affected);
        }

        if (keys.IsEmpty)
        {
            _claims.Remove(owner);
            return;
        }

        var claims = new Claims(createdAt, keys.ToArray());
        _claims[owner] = claims;
        foreach (var key in claims.Keys) Add(key, new Claimant(createdAt, owner), affected);
    }

    /// <summary>Removes all claims of an owner.</summary>
    /// <param name="owner">The owner.</param>
    /// <param name="affected">Receives the other claimants of every key that gets another winner by this.</param>
    public void Release(ServicePortName owner, ISet<ServicePortName> affected)
    {
        ArgumentNullException.ThrowIfNull(affected);
        if (_claims.Remove(owner, out var claims)) Withdraw(owner, claims, affected);
    }

    /// <summary>Who has the key; null when nobody claims it.</summary>
    public ServicePortName? WinnerOf(FrontendKey key) => _winners.TryGetValue(key, out var claim) ? claim.Owner : null;

    private void Add(FrontendKey key, Claimant claim, ISet<ServicePortName> affected)
    {
        ref var winner = ref CollectionsMarshal.GetValueRefOrAddDefault(_winners, key, out var contested);
        if (!contested)
        {
            winner = claim;
            return;
        }

        if (winner.Owner == claim.Owner) return;
        if (!_losers.TryGetValue(key, out var losers)) _losers[key] = losers = [];
        if (winner.CompareTo(claim) < 0)
        {
            losers.Add(claim);
            return;
        }

        losers.Add(winner);
        winner = claim;
        AddOwners(losers, affected);
    }

    private void Withdraw(ServicePortName owner, Claims claims, ISet<ServicePortName> affected)
    {
        var claim = new Claimant(claims.CreatedAt, owner);
        foreach (var key in claims.Keys) Withdraw(key, claim, affected);
    }

    private void Withdraw(FrontendKey key, Claimant claim, ISet<ServicePortName> affected)
    {
        var contested = _losers.TryGetValue(key, out var losers);
        if (!_winners.TryGetValue(key, out var winner)) return;
        if (winner.Owner != claim.Owner)
        {
            losers?.Remove(claim);
        }
        else if (contested)
        {
            var next = losers!.Min;
            AddOwners(losers, affected);
            losers.Remove(next);
            _winners[key] = next;
        }
        else
        {
            _winners.Remove(key);
        }

        if (losers is { Count: 0 }) _losers.Remove(key);
    }

    /// <summary>All of them, because each is told whom it lost to.</summary>
    private static void AddOwners(SortedSet<Claimant> claimants, ISet<ServicePortName> affected)
    {
        foreach (var claimant in claimants) affected.Add(claimant.Owner);
    }

    private readonly record struct Claims(DateTimeOffset CreatedAt, FrontendKey[] Keys);

    private readonly record struct Claimant(DateTimeOffset CreatedAt, ServicePortName Owner) : IComparable<Claimant>
    {
        public int CompareTo(Claimant other)
        {
            var byAge = CreatedAt.CompareTo(other.CreatedAt);
            return byAge != 0 ? byAge : Owner.CompareTo(other.Owner);
        }
    }
}
