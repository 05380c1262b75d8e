using System.Net.NetworkInformation;
using Microsoft.Extensions.Hosting;

namespace KubeProxy.Host.Composition;

/// <summary>Tells when addresses of the node's interfaces come or go.</summary>
/// <param name="changed">Called from any thread.</param>
internal sealed class AddressWatch(Action changed) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        NetworkChange.NetworkAddressChanged += OnChanged;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        NetworkChange.NetworkAddressChanged -= OnChanged;
        return Task.CompletedTask;
    }

    private void OnChanged(object? sender, EventArgs arguments) => changed();
}
