using KubeProxy.Host.Composition;

return await new ProxyProgram(new ProxyParts()).RunAsync(args, CancellationToken.None);
