using System.Runtime.CompilerServices;
using KubeProxy.Core.Model;

namespace KubeProxy.Netfilter.Rtnetlink;

/// <summary>
/// Links and addresses for a dry run: what is there is read, what is written is noted as a command of <c>ip</c>, and counts as written. Tells
/// of no changes. One backend has it at a time. Rules of policy routing, and the routes that they lead to, are not read: of a kernel they count
/// as there.
/// </summary>
public sealed class DryRunRoute : IRouteClient
{
    private readonly IRouteClient? _kernel;
    private readonly IReadOnlyList<InterfaceAddress> _addresses;
    private readonly List<NetworkLink> _added = [];
    private readonly List<string> _commands = [];

    /// <summary>Of a node with some addresses and nothing else.</summary>
    /// <param name="addresses">The addresses.</param>
    public DryRunRoute(IEnumerable<IpAddr> addresses) => _addresses = [.. addresses.Select(address => new InterfaceAddress(1, address, address.Length * 8))];

    /// <summary>Of what is there.</summary>
    /// <param name="kernel">Where it is read; not disposed.</param>
    public DryRunRoute(IRouteClient kernel) => (_kernel, _addresses) = (kernel, []);

    /// <summary>What would have been done, in order.</summary>
    public IReadOnlyList<string> Commands => _commands;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<InterfaceAddress>> ListAddressesAsync(IpFamily? family = null, CancellationToken cancellationToken = default) =>
        _kernel is not null ? await _kernel.ListAddressesAsync(family, cancellationToken) : [.. _addresses.Where(address => family is null || address.Address.Family == family)];

    /// <inheritdoc/>
    public async Task<IReadOnlyList<NetworkLink>> ListLinksAsync(CancellationToken cancellationToken = default) =>
        [.. _kernel is null ? [] : await _kernel.ListLinksAsync(cancellationToken), .. _added];

    /// <inheritdoc/>
    public IRouteSubscription Subscribe(bool routes = false) => new Silence();

    /// <inheritdoc/>
    public async Task AddAddressAsync(InterfaceAddress address, CancellationToken cancellationToken = default) =>
        _commands.Add($"ip address add {address.Address}/{address.PrefixLength} dev {await NameOfAsync(address.InterfaceIndex, cancellationToken)}");

    /// <inheritdoc/>
    public async Task DeleteAddressAsync(InterfaceAddress address, CancellationToken cancellationToken = default) =>
        _commands.Add($"ip address del {address.Address}/{address.PrefixLength} dev {await NameOfAsync(address.InterfaceIndex, cancellationToken)}");

    /// <inheritdoc/>
    public Task AddLinkAsync(string name, string kind, CancellationToken cancellationToken = default)
    {
        _added.Add(new NetworkLink(int.MaxValue - _added.Count, name, kind, LinkFlags.None));
        return Note($"ip link add {name} type {kind}");
    }

    /// <inheritdoc/>
    public async Task SetLinkUpAsync(int index, bool up, CancellationToken cancellationToken = default) =>
        _commands.Add($"ip link set {await NameOfAsync(index, cancellationToken)} {(up ? "up" : "down")}");

    /// <inheritdoc/>
    public async Task DeleteLinkAsync(int index, CancellationToken cancellationToken = default) =>
        _commands.Add($"ip link del {await NameOfAsync(index, cancellationToken)}");

    /// <inheritdoc/>
    public Task AddRuleAsync(PolicyRule rule, CancellationToken cancellationToken = default) => _kernel is null ? Note(Rule("add", rule)) : Task.CompletedTask;

    /// <inheritdoc/>
    public Task DeleteRuleAsync(PolicyRule rule, CancellationToken cancellationToken = default) => Note(Rule("del", rule));

    /// <inheritdoc/>
    public Task AddLocalDefaultAsync(IpFamily family, uint table, CancellationToken cancellationToken = default) =>
        _kernel is null ? Note($"{Ip(family)} route add local default dev lo table {table}") : Task.CompletedTask;

    /// <inheritdoc/>
    public Task DeleteLocalDefaultAsync(IpFamily family, uint table, CancellationToken cancellationToken = default) =>
        Note($"{Ip(family)} route del local default dev lo table {table}");

    /// <summary>Nothing to release.</summary>
    public void Dispose() { }

    private static string Ip(IpFamily family) => family == IpFamily.IPv6 ? "ip -6" : "ip";

    private static string Rule(string verb, PolicyRule rule) =>
        $"{Ip(rule.Family)} rule {verb} fwmark 0x{rule.Mark:x}/0x{rule.Mask:x} lookup {rule.Table} priority {rule.Priority}";

    private async Task<string> NameOfAsync(int index, CancellationToken cancellationToken) =>
        (await ListLinksAsync(cancellationToken)).FirstOrDefault(link => link.Index == index)?.Name ?? $"if{index}";

    private Task Note(string command)
    {
        _commands.Add(command);
        return Task.CompletedTask;
    }

    private sealed class Silence : IRouteSubscription
    {
        private readonly CancellationTokenSource _end = new();

        public async IAsyncEnumerable<RouteChange> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(_end.Token, cancellationToken);
            await Task.Delay(Timeout.Infinite, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            yield break;
        }

        public void Dispose() => _end.Cancel();
    }
}
