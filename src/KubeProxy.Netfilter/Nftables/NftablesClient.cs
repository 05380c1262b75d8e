using KubeProxy.Netfilter.Nftables.Validation;
using KubeProxy.Netfilter.Nftables.Wire;
using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Nftables;

/// <summary>
/// nf_tables of the kernel, over netlink. Belongs to the network namespace of the thread that opened it. Thread-safe; one
/// request is under way at a time. Needs CAP_NET_ADMIN.
/// </summary>
public sealed partial class NftablesClient : INftables
{
    private readonly NetlinkChannel _channel;

    /// <summary>Takes over the channel, and disposes it with itself.</summary>
    public NftablesClient(NetlinkChannel channel) => _channel = channel;

    /// <summary>Opens a socket in the network namespace of the calling thread.</summary>
    /// <exception cref="NetlinkException">The kernel has no nfnetlink (CONFIG_NETFILTER_NETLINK, module nfnetlink).</exception>
    public static NftablesClient Open(NetlinkSocketOptions? options = null) =>
        new(NetlinkChannel.Open(NetlinkProtocol.Netfilter, options));

    /// <summary>The port id of the socket: notifications of what this client did carry it.</summary>
    public uint PortId => _channel.PortId;

    /// <summary>What was sent so far.</summary>
    public NetlinkCounters Counters => _channel.Counters;

    /// <inheritdoc/>
    public async Task<NftCommitResult> CommitAsync(NftTransaction transaction, CancellationToken cancellationToken = default)
    {
        using var prepared = Prepare(transaction);
        return await prepared.CommitAsync(transaction.ExpectedGeneration, cancellationToken);
    }

    /// <inheritdoc/>
    public INftPreparedTransaction Prepare(NftTransaction transaction)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        var writer = new NlMsgWriter();
        try
        {
            var encoder = new NftBatchEncoder(writer);
            encoder.Encode(transaction);
            if (encoder.Failures.Count > 0) throw NftFailures.Exception(encoder.Failures);
            return new Prepared(this, transaction, writer, encoder.Origins);
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<uint> GetGenerationAsync(CancellationToken cancellationToken = default)
    {
        const string Operation = "get the generation of nftables";
        uint? generation = null;
        using var request = Request(NftMessage.GetGen, 0);
        await ReadAsync(Operation, () => _channel.GetAsync(Operation, request, message => generation ??= Generation(message), cancellationToken));
        return generation ?? throw new NftReadException(Operation, 0, $"{Operation}: the kernel's answer has no generation");
    }

    /// <summary>Closes the socket.</summary>
    public ValueTask DisposeAsync()
    {
        _channel.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<NetlinkBatchResult> SendAsync(NlMsgWriter writer, CancellationToken cancellationToken)
    {
        try
        {
            return await _channel.ExecuteBatchAsync("commit to nftables", writer, cancellationToken);
        }
        catch (NetlinkOverrunException lost)
        {
            throw new NftUnknownOutcomeException(lost.Message, lost);
        }
        catch (NetlinkException error) when (error is not NetlinkFormatException)
        {
            throw NftFailures.Exception([NftFailures.OfBatch(error.Errno, NftMissingFeature.Explain(error.Errno) ?? error.KernelMessage)]);
        }
    }

    private static NlMsgWriter Request(NftMessage message, NftFamily family)
    {
        var writer = new NlMsgWriter();
        writer.BeginMessage(NfSubsystem.Nftables, (byte)message, NlMsgFlags.None, (byte)family);
        return writer;
    }

    private static uint? Generation(NlMessage message) =>
        message.Attributes(NfGenMessage.Size).TryFind(GenerationAttribute.Id, out var id) ? id.U32BigEndian() : null;

    /// <summary>Runs a read and turns the transport's errors into this client's.</summary>
    private static async Task ReadAsync(string operation, Func<Task> read)
    {
        try
        {
            await read();
        }
        catch (NetlinkException error)
        {
            var reason = NftMissingFeature.Explain(error.Errno) is { } explanation ? $"{error.Message}: {explanation}" : error.Message;
            throw new NftReadException(operation, error is NetlinkFormatException ? 0 : error.Errno, reason, error);
        }
    }

    private sealed class Prepared(
        NftablesClient client, NftTransaction transaction, NlMsgWriter writer, IReadOnlyList<NftMessageOrigin> origins) : INftPreparedTransaction
    {
        public async Task<NftCommitResult> CommitAsync(uint? expectedGeneration, CancellationToken cancellationToken)
        {
            if (transaction.IsEmpty) return await NothingAsync(expectedGeneration, cancellationToken);
            writer.SetBatchGeneration(expectedGeneration ?? NfNetlink.AnyGeneration);
            var result = await client.SendAsync(writer, cancellationToken);
            if (!result.Succeeded) throw NftFailures.Exception(NftBatchErrors.Map(transaction, origins, writer, result.Errors));
            var generation = await client.GetGenerationAsync(CancellationToken.None);
            // When somebody else committed between the two, the caller must not take that generation for its own.
            if (expectedGeneration is { } expected && generation - expected > 1) generation = expected + 1;
            return new NftCommitResult(generation, result.Messages, result.Bytes);
        }

        public void Dispose() => writer.Dispose();

        private async Task<NftCommitResult> NothingAsync(uint? expectedGeneration, CancellationToken cancellationToken)
        {
            var generation = await client.GetGenerationAsync(cancellationToken);
            if (expectedGeneration is { } expected && expected != generation)
                throw NftFailures.Exception([NftFailures.OfBatch(Errno.Restart, null)]);
            return new NftCommitResult(generation, 0, 0);
        }
    }
}
