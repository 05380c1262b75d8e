// The busiest destinations of the connections that this network namespace tracks, made with the KubeProxy.Netfilter package: flows, bytes, and
// bytes a second by service address. Needs root, and the sysctl net.netfilter.nf_conntrack_acct=1 from before the connections began.
//
//     ConntrackTop [SECONDS [ROUNDS]]     until it is interrupted, or that many times
using KubeProxy.Core.Model;
using KubeProxy.Netfilter.Conntrack;

var period = TimeSpan.FromSeconds(args.Length > 0 ? double.Parse(args[0]) : 2);
var rounds = args.Length > 1 ? int.Parse(args[1]) : int.MaxValue;
using var conntrack = ConntrackClient.Open();
Dictionary<uint, ulong> before = []; // bytes by flow, so that flows that ended do not count as negative
for (var round = 0; round < rounds; round++)
{
    if (round > 0) await Task.Delay(period);
    Dictionary<uint, ulong> now = [];
    Dictionary<(Protocol Protocol, IpEndpoint Service), (int Flows, ulong Bytes, ulong Since)> services = [];
    await conntrack.VisitAsync(FlowFilter.All, Visit, Restart);
    var usage = await conntrack.CountAsync();
    Console.WriteLine($"{DateTime.Now:T}  {usage.Entries} of {usage.Limit} flows");
    foreach (var (service, sum) in services.OrderByDescending(entry => (entry.Value.Since, entry.Value.Bytes)).Take(20))
        Console.WriteLine($"{(byte)service.Protocol,3} {service.Service,-40} {sum.Flows,7} flows {sum.Bytes,14} bytes {sum.Since / period.TotalSeconds,12:F0} B/s");
    before = now;

    void Visit(in Flow flow)
    {
        var bytes = (flow.OriginalCounters?.Bytes ?? 0) + (flow.ReplyCounters?.Bytes ?? 0);
        now[flow.Id] = bytes;
        var since = round == 0 ? 0 : bytes - Math.Min(bytes, before.GetValueOrDefault(flow.Id));
        var (flows, all, recent) = services.GetValueOrDefault((flow.Original.Protocol, flow.OriginalDestination));
        services[(flow.Original.Protocol, flow.OriginalDestination)] = (flows + 1, all + bytes, recent + since);
    }

    void Restart()
    {
        now.Clear();
        services.Clear();
    }
}
