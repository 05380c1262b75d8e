namespace KubeProxy.Kubernetes.Tests;

/// <summary>A directory that is gone when the test is over.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("kube-proxy-test-").FullName;

    public string PathOf(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Replaces a file in one step, as the kubelet does.</summary>
    public string Write(string name, string content, bool executable = false)
    {
        var path = PathOf(name);
        File.WriteAllText(path + ".new", content);
        if (executable && OperatingSystem.IsLinux()) File.SetUnixFileMode(path + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Move(path + ".new", path, overwrite: true);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
