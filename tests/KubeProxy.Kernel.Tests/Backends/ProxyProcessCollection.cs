namespace KubeProxy.Kernel.Tests.Backends;

/// <summary>Tests that start the program run one after the other: they look at its speed.</summary>
[CollectionDefinition("proxy processes", DisableParallelization = true)]
public sealed class ProxyProcessGroup;
