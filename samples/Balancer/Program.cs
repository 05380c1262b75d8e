// A small layer 4 load balancer made with the KubeProxy.Ipvs package: the kernel balances, this program looks which servers
// answer. Needs root; touches the IPVS of the network namespace that it runs in. The virtual address has to be one of the host's.
//
//     Balancer 192.0.2.1:80 10.0.0.1:8080 10.0.0.2:8080     until SIGINT or SIGTERM
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using KubeProxy.Core.Model;
using KubeProxy.Ipvs;

if (args.Length < 2)
{
    Console.Error.WriteLine("usage: Balancer ADDRESS:PORT SERVER:PORT...");
    return 2;
}

using var end = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

var (address, port) = Endpoint(args[0]);
var service = new VirtualService
{
    Key = new VirtualServiceKey(address, Protocol.Tcp, port),
    Scheduler = SchedulerNames.WeightedRoundRobin,
};
var servers = args[1..].Select(Endpoint).ToList();

using var ipvs = IpvsClient.Open();
Console.WriteLine($"IPVS {(await ipvs.GetInfoAsync()).Version}");
// What an earlier run left is taken over, so that a restart disturbs no connection.
await ipvs.ApplyAsync(await ipvs.FindServiceAsync(service.Key) is null
    ? new IpvsOperation.AddService(service)
    : new IpvsOperation.SetService(service));
try
{
    using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
    do await BalanceAsync();
    while (await timer.WaitForNextTickAsync(end.Token));
}
catch (OperationCanceledException)
{
    // Told to end.
}

await ipvs.ApplyAsync(new IpvsOperation.DeleteService(service.Key));
Console.WriteLine("ended");
return 0;

async Task BalanceAsync()
{
    var answers = await Task.WhenAll(servers.Select(AnswersAsync));
    var present = (await ipvs.ListDestinationsAsync(service.Key, end.Token)).ToDictionary(state => state.Destination.Endpoint);
    List<IpvsOperation> changes = [];
    foreach (var (server, isUp) in servers.Zip(answers))
    {
        // Weight 0: who is connected stays, nobody else comes.
        var wanted = new Destination { Endpoint = server, Weight = isUp ? 1 : 0 };
        if (!present.Remove(server, out var state)) changes.Add(new IpvsOperation.AddDestination(service.Key, wanted));
        else if (state.Destination != wanted) changes.Add(new IpvsOperation.SetDestination(service.Key, wanted));
    }

    changes.AddRange(present.Keys.Select(server => new IpvsOperation.DeleteDestination(service.Key, server)));
    foreach (var change in changes) Console.WriteLine(change);
    foreach (var refusal in await ipvs.ApplyAsync(changes, end.Token)) Console.Error.WriteLine(refusal.Error.Message);
}

async Task<bool> AnswersAsync(IpEndpoint server)
{
    using var timeout = CancellationTokenSource.CreateLinkedTokenSource(end.Token);
    timeout.CancelAfter(TimeSpan.FromSeconds(2));
    using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
    try
    {
        await socket.ConnectAsync(server.Address.ToIPAddress(), server.Port, timeout.Token);
        return true;
    }
    catch (Exception error) when (error is SocketException || (error is OperationCanceledException && !end.IsCancellationRequested))
    {
        return false;
    }
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    end.Cancel();
}

static IpEndpoint Endpoint(string text)
{
    var parsed = IPEndPoint.Parse(text);
    return new IpEndpoint(IpAddr.From(parsed.Address), (ushort)parsed.Port);
}
