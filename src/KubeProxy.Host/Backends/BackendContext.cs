using KubeProxy.Core.Model;
using KubeProxy.Core.Planning;
using KubeProxy.Host.Configuration;

namespace KubeProxy.Host.Backends;

/// <summary>What a backend is to do.</summary>
/// <param name="Configuration">The configuration in force.</param>
/// <param name="Family">The family that it is to program.</param>
/// <param name="Masquerade">Which connections get the node's address.</param>
internal record BackendTask(EffectiveConfiguration Configuration, IpFamily Family, MasqueradePolicy Masquerade);

/// <summary>What a backend is made of.</summary>
/// <param name="Configuration">The configuration in force.</param>
/// <param name="Family">The family that it is to program.</param>
/// <param name="Masquerade">Which connections get the node's address.</param>
/// <param name="Services">The container.</param>
internal sealed record BackendContext(EffectiveConfiguration Configuration, IpFamily Family, MasqueradePolicy Masquerade, IServiceProvider Services)
    : BackendTask(Configuration, Family, Masquerade);
