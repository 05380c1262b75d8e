using System.Collections.Immutable;
using KubeProxy.Core.Kubernetes;
using KubeProxy.Core.Model;

namespace KubeProxy.Core.Tracking;

/// <summary>The ServiceCIDRs. Not thread-safe.</summary>
internal sealed class ServiceCidrTracker(ProblemRegistry problems)
{
    private readonly Dictionary<NamespacedName, ImmutableArray<Cidr>> _blocks = [];

    public IReadOnlyCollection<NamespacedName> Names => _blocks.Keys;

    /// <summary>Takes an object over; returns whether anything changed.</summary>
    public bool Upsert(ServiceCIDR value)
    {
        var found = new ProblemList(ObjectKind.ServiceCIDR, value.Name);
        var blocks = ImmutableArray.CreateBuilder<Cidr>();
        for (var i = 0; i < value.Spec.Cidrs.Count; i++)
        {
            if (Cidr.TryParse(value.Spec.Cidrs[i], out var block)) blocks.Add(block);
            else found.Add($"spec.cidrs[{i}]", $"'{value.Spec.Cidrs[i]}' is not a CIDR block; it is left out");
        }

        problems.Set(ProblemOrigin.Content, ObjectKind.ServiceCIDR, value.Name, found.ToList());
        if (_blocks.TryGetValue(value.Name, out var before) && before.AsSpan().SequenceEqual(blocks.ToArray())) return false;
        _blocks[value.Name] = blocks.ToImmutable();
        return true;
    }

    /// <summary>Forgets an object; returns whether it was there.</summary>
    public bool Delete(NamespacedName name)
    {
        problems.Set(ProblemOrigin.Content, ObjectKind.ServiceCIDR, name, []);
        return _blocks.Remove(name);
    }

    /// <summary>All blocks of a family, sorted, each once.</summary>
    public ImmutableArray<Cidr> Of(IpFamily family) =>
    [
        .. _blocks.Values.SelectMany(blocks => blocks).Where(block => block.Family == family).Distinct()
            .OrderBy(block => block.First).ThenBy(block => block.PrefixLength),
    ];
}
