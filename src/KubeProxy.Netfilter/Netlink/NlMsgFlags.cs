using System.Diagnostics.CodeAnalysis;

namespace KubeProxy.Netlink;

/// <summary>Flags of a message header. Some bits mean one thing in GET requests, and another in NEW ones.</summary>
[Flags]
[SuppressMessage("Design", "CA1069", Justification = "The kernel gives a bit different meanings by kind of message.")]
public enum NlMsgFlags : ushort
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>A request; the kernel ignores messages without it.</summary>
    Request = 0x001, // NLM_F_REQUEST

    /// <summary>Part of a multipart answer that ends with DONE.</summary>
    Multi = 0x002, // NLM_F_MULTI

    /// <summary>Ask for an answer even in case of success.</summary>
    Ack = 0x004, // NLM_F_ACK

    /// <summary>Ask for the change to be echoed to the sender as a notification.</summary>
    Echo = 0x008, // NLM_F_ECHO

    /// <summary>What is being dumped changed meanwhile, so the dump may lack or repeat objects.</summary>
    DumpInterrupted = 0x010, // NLM_F_DUMP_INTR

    /// <summary>The dump was filtered as asked for.</summary>
    DumpFiltered = 0x020, // NLM_F_DUMP_FILTERED

    /// <summary>GET: all objects.</summary>
    Dump = 0x300, // NLM_F_ROOT | NLM_F_MATCH

    /// <summary>NEW: replace what exists.</summary>
    Replace = 0x100, // NLM_F_REPLACE

    /// <summary>NEW: EEXIST if it exists.</summary>
    Exclusive = 0x200, // NLM_F_EXCL

    /// <summary>NEW: create it if it does not exist.</summary>
    Create = 0x400, // NLM_F_CREATE

    /// <summary>NEW: at the end of the list.</summary>
    Append = 0x800, // NLM_F_APPEND

    /// <summary>ERROR: the request is not echoed beyond its header.</summary>
    Capped = 0x100, // NLM_F_CAPPED

    /// <summary>ERROR and DONE: attributes of an extended acknowledgement follow.</summary>
    AckTlvs = 0x200, // NLM_F_ACK_TLVS
}
