using KubeProxy.Netlink;

namespace KubeProxy.Netfilter.Conntrack;

// What only the kernel has: counters that are reset, lists beside the table, statistics, expectations.
public sealed partial class ConntrackClient
{
    /// <summary>
    /// As <see cref="VisitAsync(FlowFilter, FlowVisitor, Action?, CancellationToken)"/>, and sets the counters of what the kernel sends to zero after it
    /// read them. That is more than what is visited if the kernel does not know the filter (see <see cref="FlowFilter"/>).
    /// </summary>
    /// <param name="filter">Which flows.</param>
    /// <param name="visit">Is given each flow.</param>
    /// <param name="cancellationToken">Gives up; what was not visited yet may be zero already.</param>
    /// <exception cref="NetlinkException">The kernel refused it.</exception>
    public Task VisitAndZeroAsync(FlowFilter filter, FlowVisitor visit, CancellationToken cancellationToken = default) =>
        VisitAsync(CtMessage.GetAndZero, filter, visit, restart: null, cancellationToken);

    /// <summary>
    /// The flows that are out of the table but still wait until an event of their end could be delivered; older kernels have all that are on their way out.
    /// </summary>
    /// <param name="filter">Which flows; the kernel filters by family only.</param>
    /// <param name="visit">Is given each flow.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NetlinkException">The kernel refused it.</exception>
    public Task VisitDyingAsync(FlowFilter filter, FlowVisitor visit, CancellationToken cancellationToken = default) =>
        DumpAsync(CtMessage.GetDying, filter, inKernel: false, visit, restart: null, cancellationToken);

    /// <summary>The flows whose first packet is still in the kernel; none in kernels since 5.19, which have no list of them.</summary>
    /// <param name="filter">Which flows; the kernel filters by family only.</param>
    /// <param name="visit">Is given each flow.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="NetlinkException">The kernel refused it.</exception>
    public Task VisitUnconfirmedAsync(FlowFilter filter, FlowVisitor visit, CancellationToken cancellationToken = default) =>
        DumpAsync(CtMessage.GetUnconfirmed, filter, inKernel: false, visit, restart: null, cancellationToken);

    /// <summary>What each CPU counted.</summary>
    /// <exception cref="NetlinkException">The kernel refused it.</exception>
    public async Task<IReadOnlyList<ConntrackCpuStatistics>> GetStatisticsAsync(CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        FlowEncoder.PutGet(request, CtMessage.GetCpuStatistics);
        List<ConntrackCpuStatistics> statistics = [];
        await _channel.DumpAsync("read conntrack statistics", request, message => statistics.Add(ConntrackCpuStatistics.Decode(message)),
            statistics.Clear, cancellationToken);
        return statistics;
    }

    /// <summary>The flows that helpers announced.</summary>
    /// <exception cref="NetlinkException">The kernel refused it.</exception>
    public async Task<IReadOnlyList<Expectation>> ListExpectationsAsync(CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        ExpectationEncoder.PutAll(request, CtExpectationMessage.Get);
        List<Expectation> expectations = [];
        await _channel.DumpAsync("list expectations", request, message => expectations.Add(ExpectationDecoder.Decode(message)), expectations.Clear,
            cancellationToken);
        return expectations;
    }

    /// <summary>Announces a flow. The id is not taken over.</summary>
    /// <exception cref="NetlinkException">
    /// ENOENT: the master is not there; EOPNOTSUPP: it has no helper; EEXIST: there is such an expectation; EINVAL: it has no timeout, though it is one of
    /// <see cref="ExpectationFlags.Userspace"/>.
    /// </exception>
    public async Task CreateExpectationAsync(Expectation expectation, CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        ExpectationEncoder.PutCreate(request, expectation);
        await _channel.ExecuteAsync($"create an expectation of {expectation.Tuple}", request, cancellationToken);
    }

    /// <summary>Deletes an expectation: by tuple and zone, and, where it is known, by <see cref="Expectation.Id"/>.</summary>
    /// <returns>False when it was gone already.</returns>
    /// <exception cref="NetlinkException">The kernel refused it.</exception>
    public async Task<bool> DeleteExpectationAsync(Expectation expectation, CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        ExpectationEncoder.PutDelete(request, expectation);
        try
        {
            await _channel.ExecuteAsync($"delete the expectation of {expectation.Tuple}", request, cancellationToken);
            return true;
        }
        catch (NetlinkException e) when (e.Errno == Errno.NoSuchEntry)
        {
            return false;
        }
    }

    /// <summary>Deletes all expectations.</summary>
    /// <exception cref="NetlinkException">The kernel refused it.</exception>
    public async Task FlushExpectationsAsync(CancellationToken cancellationToken = default)
    {
        using var request = new NlMsgWriter();
        ExpectationEncoder.PutAll(request, CtExpectationMessage.Delete);
        await _channel.ExecuteAsync("flush expectations", request, cancellationToken);
    }
}
