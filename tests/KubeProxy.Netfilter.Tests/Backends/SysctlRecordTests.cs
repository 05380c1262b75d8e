using KubeProxy.Netfilter.Backends.Ruleset;
using KubeProxy.Netfilter.Nftables.Testing;

namespace KubeProxy.Netfilter.Tests.Backends;

/// <summary>What sysctls were before a mode set them.</summary>
public sealed class SysctlRecordTests : IDisposable
{
    private static readonly ModeSysctl A = new("proc/sys/net/ipv4/a", 1, 0);
    private static readonly ModeSysctl B = new("proc/sys/net/ipv4/conf/all/b", 2, 0);
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("sysctls");
    private readonly InMemoryNftables _nftables = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private SysctlRecord Record => new(_nftables, new KernelSettings(_root.FullName));

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public async Task They_are_put_back_to_what_they_were()
    {
        Set(A, 0);
        Set(B, 7);
        await Record.NoteAsync([A, B], isInherited: false, Cancel);
        Set(A, 1);
        Set(B, 2);
        await Record.NoteAsync([A, B], isInherited: false, Cancel); // A restart of the same mode changes nothing.
        Assert.Equal(["sysctl net.ipv4.a=1 (it is 0 again, as before)"], await Record.RestoreAsync([B], Cancel));
        Assert.Equal((0, 2), (Get(A), Get(B)));
        Assert.Single(await Record.RestoreAsync([], Cancel));
        Assert.Equal(7, Get(B));
        Assert.Empty(await _nftables.ListTablesAsync(null, Cancel));
        Assert.Empty(await Record.RestoreAsync([], Cancel));
    }

    [Fact]
    public async Task What_somebody_else_set_before_or_since_stays()
    {
        Set(A, 1);
        Set(B, 0);
        await Record.NoteAsync([A, B], isInherited: false, Cancel);
        Set(B, 9);
        Assert.Empty(await Record.RestoreAsync([], Cancel));
        Assert.Equal((1, 9), (Get(A), Get(B)));
    }

    [Fact]
    public async Task What_a_proxy_left_that_notes_nothing_goes_back_to_the_kernels_value()
    {
        Set(A, 1);
        Set(B, 5);
        await Record.NoteAsync([A, B], isInherited: true, Cancel);
        await Record.AssumeAsync([A, B], Cancel);
        Assert.Equal(["sysctl net.ipv4.a=1 (it is 0 again, as before)"], await Record.RestoreAsync([], Cancel));
        Assert.Equal((0, 5), (Get(A), Get(B)));
    }

    [Fact]
    public async Task What_somebody_else_sets_between_two_starts_counts()
    {
        Set(A, 1);
        await Record.NoteAsync([A], isInherited: false, Cancel);
        Set(A, 0);
        await Record.NoteAsync([A], isInherited: true, Cancel);
        Set(A, 1);
        await Record.AssumeAsync([A], Cancel); // What is noted is known.
        await Record.RestoreAsync([], Cancel);
        Assert.Equal(0, Get(A));
    }

    private void Set(ModeSysctl sysctl, int value)
    {
        var file = Path.Combine(_root.FullName, sysctl.Path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, $"{value}\n");
    }

    private int Get(ModeSysctl sysctl) => int.Parse(File.ReadAllText(Path.Combine(_root.FullName, sysctl.Path)), System.Globalization.CultureInfo.InvariantCulture);
}
