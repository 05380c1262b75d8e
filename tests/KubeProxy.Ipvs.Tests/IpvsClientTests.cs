using KubeProxy.Core.Model;
using KubeProxy.Ipvs.Wire;
using KubeProxy.Netlink;
using KubeProxy.Netlink.Generic;
using KubeProxy.Netlink.Testing;
using static KubeProxy.Ipvs.Tests.IpvsCases;

namespace KubeProxy.Ipvs.Tests;

/// <summary>The client over a scripted transport.</summary>
public sealed class IpvsClientTests
{
    private const ushort Control = 0x10;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_family_is_asked_for_once_and_its_id_used()
    {
        using var kernel = new Kernel(request => [ScriptedReply.Ack(request)]);
        using var client = kernel.Client();
        await client.FlushAsync(Ct);
        await client.ZeroAsync(Tcp, Ct);

        Assert.Equal([Control, 0x1b, 0x1b], kernel.Types);
        Assert.Equal([3 /* CTRL_CMD_GETFAMILY */, (byte)IpvsCommand.Flush, (byte)IpvsCommand.Zero], kernel.Commands);
    }

    [Fact]
    public async Task A_kernel_without_IPVS_says_so_at_every_request()
    {
        using var transport = new ScriptedNetlinkTransport(sent => [ScriptedReply.Error(ScriptedReply.Headers(sent)[0], Errno.NoSuchEntry)]);
        using var client = new IpvsClient(new NetlinkChannel(transport));
        var error = await Assert.ThrowsAsync<NetlinkException>(() => client.GetInfoAsync(Ct));
        Assert.Equal((Errno.NoSuchEntry, "find generic netlink family IPVS: ENOENT"), (error.Errno, error.Message));
        await Assert.ThrowsAsync<NetlinkException>(() => client.ListServicesAsync(cancellationToken: Ct));
    }

    [Fact]
    public async Task Each_refusal_belongs_to_an_operation()
    {
        List<IpvsOperation> operations = [.. Enumerable.Range(1, 200).Select(i => new IpvsOperation.AddDestination(Tcp, Destination($"10.244.0.{i}")))];
        var message = 0;
        using var kernel = new Kernel(request => [ScriptedReply.Error(request, message++ % 50 == 49 ? Errno.Exists : 0)]);
        using var client = kernel.Client();

        var refusals = await client.ApplyAsync(operations, Ct);

        Assert.Equal([49, 99, 149, 199], refusals.Select(refusal => refusal.OperationIndex));
        Assert.Equal("add destination 10.244.0.50:8080 weight 1 to tcp 10.96.0.10:80: EEXIST", refusals[0].Error.Message);
        Assert.Equal(1 + 4, kernel.Datagrams); // the family, and 64 operations at a time
        Assert.Equal(200, client.Counters.WriteMessages);
    }

    [Fact]
    public async Task Lost_answers_leave_the_outcome_open()
    {
        ScriptedNetlinkTransport? transport = null;
        using var kernel = new Kernel(_ =>
        {
            transport!.PushOverrun();
            return [];
        });
        transport = kernel.Transport;
        using var client = kernel.Client();
        await Assert.ThrowsAsync<NetlinkOverrunException>(() => client.ApplyAsync([new IpvsOperation.DeleteService(Tcp)], Ct));
    }

    [Fact]
    public async Task Lists_skip_what_is_of_another_family_or_command()
    {
        using var kernel = new Kernel(request =>
        {
            using var answer = new NlMsgWriter();
            IpvsMessages.PutState(answer, new VirtualServiceState(Service(Tcp), default));
            IpvsMessages.PutState(answer, new DestinationState(Destination("10.244.0.1"), 0, 0, 0, default));
            IpvsMessages.PutState(answer, new VirtualServiceState(Service(Udp6), default));
            return [ScriptedReply.Messages(request.Sequence, answer), ScriptedReply.Done(request.Sequence)];
        });
        using var client = kernel.Client();

        Assert.Equal([Tcp, Udp6], (await client.ListServicesAsync(cancellationToken: Ct)).Select(state => state.Service.Key));
        Assert.Equal([Udp6], (await client.ListServicesAsync(IpFamily.IPv6, Ct)).Select(state => state.Service.Key));
        Assert.Equal(Destination("10.244.0.1"), Assert.Single(await client.ListDestinationsAsync(Tcp, Ct)).Destination);
    }

    [Fact]
    public async Task A_long_list_is_read_until_it_stays_the_same()
    {
        var keys = Enumerable.Range(1, 20).Select(i => new VirtualServiceKey(IpAddr.Parse($"10.96.0.{i}"), Protocol.Tcp, 80)).ToArray();
        Queue<VirtualServiceKey[]> readings = new([keys[..10], keys[5..], keys, keys]);
        using var kernel = new Kernel(request => List(request, readings.Dequeue()));
        using var client = kernel.Client();
        Assert.Equal(keys, (await client.ListServicesAsync(cancellationToken: Ct)).Select(state => state.Service.Key));
        Assert.Empty(readings);
    }

    [Fact]
    public async Task A_long_list_that_never_stays_the_same_is_an_error()
    {
        var reading = 0;
        using var kernel = new Kernel(request =>
            List(request, Enumerable.Range(reading++, 20).Select(i => new VirtualServiceKey(IpAddr.Parse($"10.96.0.{i}"), Protocol.Tcp, 80))));
        using var client = kernel.Client();
        var error = await Assert.ThrowsAsync<NetlinkException>(() => client.ListServicesAsync(cancellationToken: Ct));
        Assert.Equal("list virtual services: EINTR", error.Message);
    }

    [Fact]
    public async Task A_service_that_is_not_there_is_null_and_other_errors_are_errors()
    {
        var errno = Errno.NoSuchProcess;
        using var kernel = new Kernel(request => [ScriptedReply.Error(request, errno)]);
        using var client = kernel.Client();
        Assert.Null(await client.FindServiceAsync(Tcp, Ct));
        errno = Errno.OperationNotPermitted;
        Assert.Equal(errno, (await Assert.ThrowsAsync<NetlinkException>(() => client.FindServiceAsync(Tcp, Ct))).Errno);
    }

    [Fact]
    public async Task An_answer_about_something_else_is_an_error()
    {
        using var kernel = new Kernel(request => [ScriptedReply.Ack(request)]);
        using var client = kernel.Client();
        await Assert.ThrowsAsync<NetlinkFormatException>(() => client.GetInfoAsync(Ct));
        await Assert.ThrowsAsync<NetlinkFormatException>(() => client.GetTimeoutsAsync(Ct));
    }

    private static IEnumerable<byte[]> List(NlMsgHeader request, IEnumerable<VirtualServiceKey> keys)
    {
        using var answer = new NlMsgWriter();
        foreach (var key in keys) IpvsMessages.PutState(answer, new VirtualServiceState(Service(key), default));
        return [ScriptedReply.Messages(request.Sequence, answer), ScriptedReply.Done(request.Sequence)];
    }

    /// <summary>Knows the family, and leaves other requests to the test.</summary>
    private sealed class Kernel : IDisposable
    {
        private readonly Func<NlMsgHeader, IEnumerable<byte[]>> _answer;

        public Kernel(Func<NlMsgHeader, IEnumerable<byte[]>> answer)
        {
            _answer = answer;
            Transport = new ScriptedNetlinkTransport(Answer);
        }

        public ScriptedNetlinkTransport Transport { get; }

        public int Datagrams => Transport.Sent.Count;

        public IEnumerable<ushort> Types => Transport.Sent.Select(sent => ScriptedReply.Headers(sent)[0].Type);

        public IEnumerable<byte> Commands => Transport.Sent.Select(sent => sent[NlMsgHeader.Size]);

        public IpvsClient Client() => new(new NetlinkChannel(Transport));

        public void Dispose() => Transport.Dispose();

        private IEnumerable<byte[]> Answer(byte[] sent)
        {
            foreach (var request in ScriptedReply.Headers(sent))
            {
                foreach (var reply in request.Type == Control ? Family(request) : _answer(request)) yield return reply;
            }
        }

        private static IEnumerable<byte[]> Family(NlMsgHeader request)
        {
            using var answer = new NlMsgWriter();
            answer.BeginMessage(new GenericFamily("nlctrl", Control, 2), 1 /* CTRL_CMD_NEWFAMILY */);
            answer.PutString((GenericFamilyAttribute)2, "IPVS");
            answer.PutU16((GenericFamilyAttribute)1, 0x1b);
            answer.PutU32((GenericFamilyAttribute)3, 1);
            return [ScriptedReply.Messages(request.Sequence, answer), ScriptedReply.Ack(request)];
        }

        private enum GenericFamilyAttribute : ushort;
    }
}
