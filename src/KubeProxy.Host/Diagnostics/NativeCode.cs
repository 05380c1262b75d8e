namespace KubeProxy.Host.Diagnostics;

/// <summary>In which of its two forms this program is: native code, or with a runtime that compiles.</summary>
internal static class NativeCode
{
    /// <summary>The setting by which the project file tells the program.</summary>
    public const string Setting = "KubeProxy.NativeCode";

    /// <summary>Whether this is the native form: its runtime records events, but samples no stacks.</summary>
    public static bool IsUsed => AppContext.TryGetSwitch(Setting, out var isUsed) && isUsed;
}
