// What the Services of a cluster mean on a node, as it changes: made with the KubeProxy.Kubernetes package and the official client, which
// knows how to reach the API server and who we are. Needs no root, and changes nothing.
//
//     Watcher KUBECONFIG NODE     until SIGINT or SIGTERM
using System.Runtime.InteropServices;
using k8s;
using KubeProxy.Core;
using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Core.Sync;
using KubeProxy.Kubernetes;
using KubeProxy.Kubernetes.Client;

if (args is not [var kubeconfig, var node])
{
    Console.Error.WriteLine("usage: Watcher KUBECONFIG NODE");
    return 2;
}

using var end = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

using var kubernetes = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig));
var source = kubernetes.AsProxySource(new ApiServerSourceOptions { NodeName = node });
var plans = new ServicePlans(new ProxyOptions { NodeName = node });
var reading = source.RunAsync(plans, end.Token);
using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
while (!reading.IsCompleted && await timer.WaitForNextTickAsync())
{
    // Before all is read, a Service would have fewer endpoints than it has.
    if (source.GetStatus() is not [_, ..] kinds || !kinds.All(kind => kind.Synced)) continue;
    foreach (var family in new[] { IpFamily.IPv4, IpFamily.IPv6 }) Print(plans.Take(family));
}

try
{
    await reading;
}
catch (OperationCanceledException)
{
    Console.WriteLine("ended");
}

return 0;

static void Print(PlanChanges changes)
{
    foreach (var name in changes.Removed) Console.WriteLine($"{name} is gone");
    foreach (var plan in changes.Updated)
        foreach (var frontend in plan.Frontends)
            Console.WriteLine($"{plan.Name} {frontend.Kind} {frontend.Key} -> {string.Join(", ", plan.EndpointsOf(frontend.Destination))}");
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    end.Cancel();
}
