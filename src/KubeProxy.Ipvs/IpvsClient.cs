using KubeProxy.Core.Model;
using KubeProxy.Ipvs.Wire;
using KubeProxy.Netlink;
using KubeProxy.Netlink.Generic;

namespace KubeProxy.Ipvs;

/// <summary>
/// The kernel's IPVS over generic netlink (linux/ip_vs.h). Thread-safe. Every request fails with ENOENT when the kernel has no IPVS
/// (CONFIG_IP_VS; a module is loaded by the first request). The kernel takes no snapshot for lists: destinations that are read while
/// others delete some of the same service may lack objects. Services at IPv4-mapped IPv6 addresses are not listed.
/// </summary>
public sealed class IpvsClient : IIpvs
{
    // So few services fit one message of a list, which the kernel writes without a pause.
    private const int ListedAtOnce = 8;
    private const int MaxListAttempts = 16;
    private const string ListOperation = "list virtual services";

    private readonly NetlinkChannel _channel;
    private GenericFamily? _family;

    /// <summary>Takes over the channel, of <see cref="NetlinkProtocol.Generic"/>, and disposes it with itself.</summary>
    public IpvsClient(NetlinkChannel channel) => _channel = channel;

    /// <summary>Opens a socket in the network namespace of the calling thread.</summary>
    /// <inheritdoc cref="NetlinkSocket.Open" path="/exception"/>
    public static IpvsClient Open(NetlinkSocketOptions? options = null) => new(NetlinkChannel.Open(NetlinkProtocol.Generic, options));

    /// <summary>What was sent so far.</summary>
    public NetlinkCounters Counters => _channel.Counters;

    /// <inheritdoc/>
    public Task<IpvsInfo> GetInfoAsync(CancellationToken cancellationToken = default) =>
        GetAsync("read the version of IPVS", IpvsCommand.GetInfo, IpvsDecoder.DecodeInfo, cancellationToken);

    /// <inheritdoc/>
    public Task<IpvsTimeouts> GetTimeoutsAsync(CancellationToken cancellationToken = default) =>
        GetAsync("read the timeouts of IPVS", IpvsCommand.GetConfig, IpvsDecoder.DecodeTimeouts, cancellationToken);

    /// <summary>
    /// Reads a long list until two readings in a row have the same services: the kernel goes by a position in a table that all
    /// network namespaces may share, so whatever is deleted in any of them meanwhile makes it skip services, and says nothing of it.
    /// </summary>
    /// <inheritdoc/>
    /// <exception cref="NetlinkException">EINTR when the list was another one each time.</exception>
    public async Task<IReadOnlyList<VirtualServiceState>> ListServicesAsync(
        IpFamily? family = null, CancellationToken cancellationToken = default)
    {
        var services = await ReadServicesAsync(cancellationToken);
        for (var attempt = 2; services.Count > ListedAtOnce; attempt++)
        {
            var before = services;
            services = await ReadServicesAsync(cancellationToken);
            if (services.Count == before.Count && Keys(services).SetEquals(Keys(before))) break;
            if (attempt == MaxListAttempts) throw new NetlinkException(ListOperation, Errno.Interrupted);
        }

        return family is null ? services : services.FindAll(state => state.Service.Key.Family == family);

        static HashSet<VirtualServiceKey> Keys(List<VirtualServiceState> services) => [.. services.Select(state => state.Service.Key)];
    }

    /// <inheritdoc/>
    public async Task<VirtualServiceState?> FindServiceAsync(VirtualServiceKey key, CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        IpvsEncoder.PutKey(request, await FamilyAsync(cancellationToken), IpvsCommand.GetService, key);
        VirtualServiceState? found = null;
        try
        {
            await _channel.GetAsync(
                $"find virtual service {key}", request, message => found = IpvsDecoder.DecodeService(message) ?? found, cancellationToken);
        }
        catch (NetlinkException error) when (error.Errno == Errno.NoSuchProcess)
        {
            return null;
        }

        return found;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<DestinationState>> ListDestinationsAsync(
        VirtualServiceKey key, CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        IpvsEncoder.PutKey(request, await FamilyAsync(cancellationToken), IpvsCommand.GetDestination, key);
        List<DestinationState> destinations = [];
        await _channel.DumpAsync($"list destinations of {key}", request, message =>
        {
            if (IpvsDecoder.DecodeDestination(message, key.Family) is { } state) destinations.Add(state);
        }, destinations.Clear, cancellationToken);
        return destinations;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<IpvsRefusal>> ApplyAsync(
        IReadOnlyList<IpvsOperation> operations, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(operations);
        if (operations.Count == 0) return [];
        var family = await FamilyAsync(cancellationToken);
        using var requests = new NlMsgWriter();
        foreach (var operation in operations) IpvsEncoder.Put(requests, family, operation);
        var result = await _channel.ExecuteManyAsync($"{operations.Count} changes of IPVS", requests, cancellationToken);
        // A message for each operation, in the same order.
        return [.. result.Errors.Select(error => new IpvsRefusal(error.MessageIndex, error.ToException(operations[error.MessageIndex].ToString())))];
    }

    /// <inheritdoc/>
    public Task SetTimeoutsAsync(IpvsTimeouts timeouts, CancellationToken cancellationToken = default) => ExecuteAsync(
        $"set timeouts {timeouts}", (writer, family) => IpvsEncoder.PutTimeouts(writer, family, timeouts), cancellationToken);

    /// <inheritdoc/>
    public Task ZeroAsync(VirtualServiceKey? key = null, CancellationToken cancellationToken = default) => key is { } one
        ? ExecuteAsync($"zero virtual service {one}", (writer, family) => IpvsEncoder.PutKey(writer, family, IpvsCommand.Zero, one), cancellationToken)
        : ExecuteAsync("zero all virtual services", (writer, family) => IpvsEncoder.PutCommand(writer, family, IpvsCommand.Zero), cancellationToken);

    /// <inheritdoc/>
    public Task FlushAsync(CancellationToken cancellationToken = default) => ExecuteAsync(
        "flush virtual services", (writer, family) => IpvsEncoder.PutCommand(writer, family, IpvsCommand.Flush), cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

    private async Task<List<VirtualServiceState>> ReadServicesAsync(CancellationToken cancellationToken)
    {
        using var request = new NlMsgWriter();
        IpvsEncoder.PutCommand(request, await FamilyAsync(cancellationToken), IpvsCommand.GetService);
        List<VirtualServiceState> services = [];
        await _channel.DumpAsync(ListOperation, request, message =>
        {
            if (IpvsDecoder.DecodeService(message) is { } state) services.Add(state);
        }, services.Clear, cancellationToken);
        return services;
    }

    private async Task<T> GetAsync<T>(string operation, IpvsCommand command, Func<NlMessage, T?> decode, CancellationToken cancellationToken)
        where T : class
    {
        using var request = new NlMsgWriter();
        IpvsEncoder.PutCommand(request, await FamilyAsync(cancellationToken), command);
        T? answer = null;
        await _channel.GetAsync(operation, request, message => answer = decode(message) ?? answer, cancellationToken);
        return answer ?? throw new NetlinkFormatException($"{operation}: the kernel answered something else.");
    }

    private async Task ExecuteAsync(string operation, Action<NlMsgWriter, GenericFamily> put, CancellationToken cancellationToken)
    {
        using var request = new NlMsgWriter();
        put(request, await FamilyAsync(cancellationToken));
        await _channel.ExecuteAsync(operation, request, cancellationToken);
    }

    /// <summary>The id of the family is asked for once: by the first request.</summary>
    private async ValueTask<GenericFamily> FamilyAsync(CancellationToken cancellationToken) =>
        _family ??= await GenericFamily.ResolveAsync(_channel, IpvsProtocol.FamilyName, cancellationToken);
}
