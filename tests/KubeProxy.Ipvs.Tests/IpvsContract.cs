using KubeProxy.Core.Model;
using KubeProxy.Netlink;
using static KubeProxy.Ipvs.Tests.IpvsCases;

namespace KubeProxy.Ipvs.Tests;

/// <summary>What every <see cref="IIpvs"/> does: the kernel's and the one in memory. Compiled into both test programs.</summary>
public abstract class IpvsContract
{
    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected abstract IIpvs Ipvs { get; }

    [Fact]
    public async Task It_tells_its_version()
    {
        var info = await Ipvs.GetInfoAsync(Ct);
        Assert.Equal(new Version(1, 2, 1), info.Version);
        Assert.True(info.ConnectionTableSize >= 256, $"{info.ConnectionTableSize}");
    }

    [Fact]
    public async Task In_the_beginning_there_is_nothing()
    {
        Assert.Empty(await Ipvs.ListServicesAsync(cancellationToken: Ct));
        Assert.Null(await Ipvs.FindServiceAsync(Tcp, Ct));
        Assert.Empty(await Ipvs.ListDestinationsAsync(Tcp, Ct));
        await Ipvs.FlushAsync(Ct);
        await Ipvs.ZeroAsync(cancellationToken: Ct);
    }

    [Fact]
    public async Task Services_of_every_kind_are_read_as_they_were_written()
    {
        var services = Services();
        await ApplyAsync(services.Select(service => new IpvsOperation.AddService(service)));

        Assert.Equal(services.ToHashSet(), (await Ipvs.ListServicesAsync(cancellationToken: Ct)).Select(state => state.Service).ToHashSet());
        foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 })
        {
            Assert.Equal(services.Where(service => service.Key.Family == family).ToHashSet(),
                (await Ipvs.ListServicesAsync(family, Ct)).Select(state => state.Service).ToHashSet());
        }

        foreach (var service in services)
        {
            var state = await Ipvs.FindServiceAsync(service.Key, Ct);
            Assert.Equal(new VirtualServiceState(service, default), state);
        }
    }

    [Fact]
    public async Task Destinations_of_every_kind_are_read_as_they_were_written()
    {
        foreach (var key in new[] { Tcp, Udp6, new VirtualServiceKey(IpFamily.IPv4, 7), new VirtualServiceKey(IpFamily.IPv6, 7) })
        {
            var destinations = Destinations(key.Family);
            await ApplyAsync([new IpvsOperation.AddService(Service(key)),
                .. destinations.Select(destination => new IpvsOperation.AddDestination(key, destination))]);

            Assert.Equal(destinations.Select(destination => new DestinationState(destination, 0, 0, 0, default)).ToHashSet(),
                (await Ipvs.ListDestinationsAsync(key, Ct)).ToHashSet());
        }
    }

    [Fact]
    public async Task What_says_nothing_is_read_as_nothing()
    {
        await ApplyAsync([
            new IpvsOperation.AddService(Service(Tcp) with { PersistencePrefixLength = 32 }),
            new IpvsOperation.AddService(Service(Udp6) with { PersistencePrefixLength = 128 }),
            new IpvsOperation.AddDestination(Tcp, Destination("10.244.0.1")
                with { Method = ForwardingMethod.Tunnel, Tunnel = new DestinationTunnel(TunnelKind.Ipip) }),
            new IpvsOperation.AddDestination(Tcp, Destination("10.244.0.2") with { Tunnel = new DestinationTunnel(TunnelKind.Gue, 6080) }),
        ]);

        Assert.Equal([Service(Tcp), Service(Udp6)],
            (await Ipvs.ListServicesAsync(cancellationToken: Ct)).Select(state => state.Service).OrderBy(service => service.Key.Family));
        Assert.Equal([Destination("10.244.0.1") with { Method = ForwardingMethod.Tunnel }, Destination("10.244.0.2")],
            (await Ipvs.ListDestinationsAsync(Tcp, Ct)).Select(state => state.Destination).OrderBy(destination => destination.Endpoint));
    }

    [Fact]
    public async Task A_service_changes_and_keeps_its_destinations()
    {
        await ApplyAsync([new IpvsOperation.AddService(Service(Tcp)), new IpvsOperation.AddDestination(Tcp, Destination("10.244.0.1"))]);

        var changed = Service(Tcp, "sh") with
        {
            Flags = VirtualServiceFlags.HashPort, Persistence = TimeSpan.FromSeconds(60), PersistencePrefixLength = 16,
        };
        await Ipvs.ApplyAsync(new IpvsOperation.SetService(changed), Ct);
        Assert.Equal(changed, (await Ipvs.FindServiceAsync(Tcp, Ct))?.Service);
        await Ipvs.ApplyAsync(new IpvsOperation.SetService(Service(Tcp)), Ct);

        Assert.Equal(Service(Tcp), (await Ipvs.FindServiceAsync(Tcp, Ct))?.Service);
        Assert.Equal(Destination("10.244.0.1"), Assert.Single(await Ipvs.ListDestinationsAsync(Tcp, Ct)).Destination);
    }

    [Fact]
    public async Task A_destination_changes_and_goes()
    {
        var first = Destination("10.244.0.1");
        await ApplyAsync([new IpvsOperation.AddService(Service(Tcp)), new IpvsOperation.AddDestination(Tcp, first),
            new IpvsOperation.AddDestination(Tcp, Destination("10.244.0.2"))]);

        var changed = first with
        {
            Weight = 0, UpperThreshold = 7, Method = ForwardingMethod.Tunnel, Tunnel = new DestinationTunnel(TunnelKind.Gue, 6080),
        };
        await Ipvs.ApplyAsync(new IpvsOperation.SetDestination(Tcp, changed), Ct);
        Assert.Contains(await Ipvs.ListDestinationsAsync(Tcp, Ct), state => state.Destination == changed);
        await Ipvs.ApplyAsync(new IpvsOperation.SetDestination(Tcp, first), Ct);
        Assert.Contains(await Ipvs.ListDestinationsAsync(Tcp, Ct), state => state.Destination == first);
        await Ipvs.ApplyAsync(new IpvsOperation.DeleteDestination(Tcp, first.Endpoint), Ct);

        Assert.Equal(Destination("10.244.0.2"), Assert.Single(await Ipvs.ListDestinationsAsync(Tcp, Ct)).Destination);
    }

    [Fact]
    public async Task A_service_goes_with_its_destinations()
    {
        var both = new[] { Tcp, Udp6 };
        await ApplyAsync([.. both.Select(key => new IpvsOperation.AddService(Service(key))),
            new IpvsOperation.AddDestination(Tcp, Destination("10.244.0.1"))]);

        await Ipvs.ApplyAsync(new IpvsOperation.DeleteService(Tcp), Ct);
        Assert.Equal(Udp6, Assert.Single(await Ipvs.ListServicesAsync(cancellationToken: Ct)).Service.Key);
        await Ipvs.ApplyAsync(new IpvsOperation.AddService(Service(Tcp)), Ct);
        Assert.Empty(await Ipvs.ListDestinationsAsync(Tcp, Ct));

        await Ipvs.FlushAsync(Ct);
        Assert.Empty(await Ipvs.ListServicesAsync(cancellationToken: Ct));
    }

    public static TheoryData<string, int, IpvsOperation> Refused()
    {
        var first = Destination("10.244.0.1");
        var missing = new VirtualServiceKey(IpAddr.Parse("10.96.0.10"), Protocol.Tcp, 81);
        var endpoint = first.Endpoint with { Port = 81 };
        var other = Destination("10.244.0.2");
        return new TheoryData<string, int, IpvsOperation>
        {
            { "service that exists", Errno.Exists, new IpvsOperation.AddService(Service(Tcp)) },
            { "service that exists, whatever the scheduler", Errno.Exists, new IpvsOperation.AddService(Service(Tcp, "no-such")) },
            { "unknown scheduler", Errno.NoSuchEntry, new IpvsOperation.AddService(Service(missing, "no-such")) },
            { "change to an unknown scheduler", Errno.NoSuchEntry, new IpvsOperation.SetService(Service(Tcp, "no-such")) },
            { "scheduler with too long a name", Errno.InvalidArgument, new IpvsOperation.AddService(Service(missing, "sixteen-letters!")) },
            { "unknown engine", Errno.NoSuchEntry, new IpvsOperation.AddService(Service(missing) with { PersistenceEngine = "no-such" }) },
            { "IPv6 prefix of 0", Errno.InvalidArgument, new IpvsOperation.SetService(Service(Udp6) with { PersistencePrefixLength = 0 }) },
            { "IPv6 prefix of 129", Errno.InvalidArgument, new IpvsOperation.SetService(Service(Udp6) with { PersistencePrefixLength = 129 }) },
            { "change of a missing service", Errno.NoSuchProcess, new IpvsOperation.SetService(Service(missing)) },
            { "change of a missing service by mark", Errno.NoSuchProcess,
                new IpvsOperation.SetService(Service(new VirtualServiceKey(IpFamily.IPv4, 9))) },
            { "missing service", Errno.NoSuchProcess, new IpvsOperation.DeleteService(missing) },
            { "destination for a missing service", Errno.NoSuchProcess, new IpvsOperation.AddDestination(missing, first) },
            { "change of a destination of a missing service", Errno.NoSuchProcess, new IpvsOperation.SetDestination(missing, first) },
            { "destination of a missing service", Errno.NoSuchProcess, new IpvsOperation.DeleteDestination(missing, first.Endpoint) },
            { "destination that exists", Errno.Exists, new IpvsOperation.AddDestination(Tcp, first with { Weight = 7 }) },
            { "change of a missing destination", Errno.NoSuchEntry, new IpvsOperation.SetDestination(Tcp, first with { Endpoint = endpoint }) },
            { "missing destination", Errno.NoSuchEntry, new IpvsOperation.DeleteDestination(Tcp, endpoint) },
            { "negative weight", Errno.OutOfRange, new IpvsOperation.AddDestination(Tcp, other with { Weight = -1 }) },
            { "change to a negative weight", Errno.OutOfRange, new IpvsOperation.SetDestination(Tcp, first with { Weight = int.MinValue }) },
            { "lower threshold above the upper one", Errno.OutOfRange,
                new IpvsOperation.AddDestination(Tcp, other with { UpperThreshold = 1, LowerThreshold = 2 }) },
            { "GUE without a port", Errno.InvalidArgument, new IpvsOperation.AddDestination(Tcp, other with
                { Method = ForwardingMethod.Tunnel, Tunnel = new DestinationTunnel(TunnelKind.Gue) }) },
            { "multicast", Errno.InvalidArgument, new IpvsOperation.AddDestination(Tcp, Destination("224.0.0.1")) },
            { "broadcast", Errno.InvalidArgument, new IpvsOperation.AddDestination(Tcp, Destination("255.255.255.255")) },
            { "no address", Errno.InvalidArgument, new IpvsOperation.AddDestination(Tcp, Destination("0.0.0.0")) },
            { "IPv6 multicast", Errno.InvalidArgument, new IpvsOperation.AddDestination(Udp6, Destination("ff02::1")) },
            { "IPv6 link-local", Errno.InvalidArgument, new IpvsOperation.AddDestination(Udp6, Destination("fe80::1")) },
            { "no IPv6 address", Errno.InvalidArgument, new IpvsOperation.AddDestination(Udp6, Destination("::")) },
            { "other family without a tunnel", Errno.InvalidArgument, new IpvsOperation.AddDestination(Tcp, Destination("fd00:10:244::1")) },
        };
    }

    [Theory]
    [MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public async Task What_cannot_be_is_refused_and_changes_nothing(string what, int errno, IpvsOperation operation)
    {
        await ApplyAsync([new IpvsOperation.AddService(Service(Tcp)), new IpvsOperation.AddService(Service(Udp6)),
            new IpvsOperation.AddDestination(Tcp, Destination("10.244.0.1"))]);

        var error = await Assert.ThrowsAsync<NetlinkException>(() => Ipvs.ApplyAsync(operation, Ct));
        Assert.True(errno == error.Errno, $"{what}: {error.Message}");
        Assert.StartsWith(operation.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Equal([Service(Tcp), Service(Udp6)],
            (await Ipvs.ListServicesAsync(cancellationToken: Ct)).Select(state => state.Service).OrderBy(service => service.Key.Family));
        Assert.Equal(Destination("10.244.0.1"), Assert.Single(await Ipvs.ListDestinationsAsync(Tcp, Ct)).Destination);
        Assert.Empty(await Ipvs.ListDestinationsAsync(Udp6, Ct));
    }

    [Fact]
    public async Task Of_many_operations_the_refused_ones_are_named_and_the_others_done()
    {
        List<IpvsOperation> operations = [new IpvsOperation.AddService(Service(Tcp))];
        List<int> wrong = [];
        for (var i = 0; i < 500; i++)
        {
            if (i % 7 == 3) wrong.Add(operations.Count);
            operations.Add(new IpvsOperation.AddDestination(Tcp, Destination($"10.244.{1 + i / 250}.{1 + i % 250}") with { Weight = i % 7 == 3 ? -1 : 1 }));
        }

        var refusals = await Ipvs.ApplyAsync(operations, Ct);

        Assert.Equal(wrong, refusals.Select(refusal => refusal.OperationIndex));
        Assert.All(refusals, refusal => Assert.Equal(Errno.OutOfRange, refusal.Error.Errno));
        Assert.All(refusals, refusal => Assert.Equal(operations[refusal.OperationIndex].ToString(), refusal.Error.Operation));
        Assert.Equal(500 - wrong.Count, (await Ipvs.ListDestinationsAsync(Tcp, Ct)).Count);
        Assert.Empty(await Ipvs.ApplyAsync([], Ct));
    }

    [Fact]
    public async Task A_list_of_many_is_complete()
    {
        var keys = Enumerable.Range(0, 1500).Select(i => new VirtualServiceKey(IpAddr.Parse($"10.96.{i / 250}.{1 + i % 250}"), Protocol.Tcp, 80)).ToHashSet();
        await ApplyAsync(keys.Select(key => new IpvsOperation.AddService(Service(key))));
        Assert.Equal(keys, (await Ipvs.ListServicesAsync(cancellationToken: Ct)).Select(state => state.Service.Key).ToHashSet());
    }

    [Fact]
    public async Task Timeouts_change_except_those_of_zero()
    {
        await Ipvs.SetTimeoutsAsync(new IpvsTimeouts(TimeSpan.FromHours(1), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(20)), Ct);
        await Ipvs.SetTimeoutsAsync(new IpvsTimeouts(TimeSpan.Zero, TimeSpan.FromSeconds(31), TimeSpan.Zero), Ct);
        Assert.Equal(new IpvsTimeouts(TimeSpan.FromHours(1), TimeSpan.FromSeconds(31), TimeSpan.FromSeconds(20)), await Ipvs.GetTimeoutsAsync(Ct));
    }

    [Fact]
    public async Task Timeouts_are_at_first_those_of_the_kernel() => Assert.Equal(
        new IpvsTimeouts(TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(5)), await Ipvs.GetTimeoutsAsync(Ct));

    [Fact]
    public async Task Counters_of_a_missing_service_cannot_be_zeroed()
    {
        await ApplyAsync([new IpvsOperation.AddService(Service(Tcp))]);
        await Ipvs.ZeroAsync(Tcp, Ct);
        Assert.Equal(Errno.NoSuchProcess, (await Assert.ThrowsAsync<NetlinkException>(() => Ipvs.ZeroAsync(Udp6, Ct))).Errno);
    }

    protected async Task ApplyAsync(IEnumerable<IpvsOperation> operations) => Assert.Empty(await Ipvs.ApplyAsync([.. operations], Ct));
}
