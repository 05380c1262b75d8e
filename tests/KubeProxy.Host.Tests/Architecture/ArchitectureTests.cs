using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace KubeProxy.Host.Tests.Architecture;

/// <summary>Reads the metadata of the product's assemblies and holds it against <see cref="ArchitectureRules"/>.</summary>
public sealed class ArchitectureTests
{
    private const string Own = "KubeProxy.";

    [Fact]
    public void Assemblies_reference_only_what_is_below_them()
    {
        List<string> wrong = [];
        foreach (var (assembly, allowed) in ArchitectureRules.Assemblies)
        {
            using var file = new PEReader(File.OpenRead(PathOf(assembly)));
            var metadata = file.GetMetadataReader();
            wrong.AddRange(metadata.AssemblyReferences
                .Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))
                .Where(name => name.StartsWith(Own, StringComparison.Ordinal) && !allowed.Contains(name))
                .Select(name => $"{assembly} references {name}"));
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void Namespaces_use_only_what_is_below_them()
    {
        var uses = AllUses().ToList();
        Assert.True(uses.Count > 100, "The metadata was not read.");
        var wrong = uses.Where(use => use.To.StartsWith(Own, StringComparison.Ordinal) && !IsAllowed(use.From, use.To))
            .Select(use => $"{use.From} uses {use.To}").Distinct().Order().ToList();
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    // A namespace and what is below it are one: a client and its wire format need one another.
    [Fact]
    public void No_two_namespaces_need_one_another() => Assert.Empty(
        from rule in ArchitectureRules.Namespaces
        from used in rule.Value
        where string.CompareOrdinal(rule.Key, used) < 0 && ArchitectureRules.Namespaces[used].Contains(rule.Key) && !IsIn(rule.Key, used) && !IsIn(used, rule.Key)
        select $"{rule.Key} and {used}");

    [Fact]
    public void No_rule_is_left_over() => Assert.Empty(
        ArchitectureRules.Namespaces.SelectMany(rule => rule.Value.Select(to => (From: rule.Key, To: to))).Except(AllUses()).Select(use => $"{use.From} does not use {use.To}"));

    [Fact]
    public void Libraries_of_others_stay_where_they_belong() => Assert.Empty(
        from use in AllUses()
        from rule in ArchitectureRules.OnlyThere
        where IsIn(use.To, rule.Key) && !rule.Value.Any(user => IsIn(use.From, user))
        select $"{use.From} uses {use.To}");

    [Fact]
    public void Fakes_are_used_by_tests_only() => Assert.Empty(
        AllUses().Where(use => IsTesting(use.To) && !IsTesting(use.From)).Select(use => $"{use.From} uses {use.To}").Distinct());

    [Fact]
    public void Every_namespace_has_a_rule() => Assert.Empty(
        AllUses().Select(use => use.From).Where(from => from.StartsWith(Own, StringComparison.Ordinal) && !ArchitectureRules.Namespaces.ContainsKey(from)).Distinct());

    private static bool IsAllowed(string from, string to)
    {
        return ArchitectureRules.Namespaces.TryGetValue(from, out var allowed) && allowed.Contains(to);
    }

    private static bool IsIn(string name, string parent) =>
        name == parent || name.StartsWith(parent + ".", StringComparison.Ordinal);

    private static bool IsTesting(string name) => name.StartsWith(Own, StringComparison.Ordinal) && name.EndsWith(".Testing", StringComparison.Ordinal);

    private static IEnumerable<(string From, string To)> AllUses() => ArchitectureRules.Assemblies.Keys.SelectMany(Uses);

    /// <summary>
    /// Which namespaces' types each type mentions, in signatures and in code. Found by resolving every metadata token that stands in
    /// the type's members.
    /// </summary>
    private static List<(string From, string To)> Uses(string assembly)
    {
        using var file = new PEReader(File.OpenRead(PathOf(assembly)));
        return new NamespaceUses(file).All().ToList();
    }

    private static string PathOf(string assembly) => Path.Combine(AppContext.BaseDirectory, assembly + ".dll");
}
