using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Altinn.App.Forms;
using Altinn.App.Platform;
using Altinn.App.Security;
using Microsoft.Extensions.Logging;

namespace Altinn.App.Processes
{
    /// <summary>Takes instances from step to step; where they stand is kept by Storage.</summary>
    public class ProcessEngine
    {
        private readonly AppFiles files;
        private readonly StorageClient storage;
        private readonly InstanceChecks checks;
        private readonly ILogger<ProcessEngine> log;

        public ProcessEngine(AppFiles files, StorageClient storage, InstanceChecks checks, ILogger<ProcessEngine> log)
        {
            this.log = log;
            this.files = files;
            this.storage = storage;
            this.checks = checks;
        }

        /// <summary>Where a new instance stands: in the first task.</summary>
        public ProcessState Start()
        {
            ProcessDefinition process = ProcessDefinition.Read(files);
            ProcessDefinition.Element first = process.Next(process.Start.Id);
            DateTime now = DateTime.UtcNow;
            return new ProcessState { Started = now, StartEvent = process.Start.Id, CurrentTask = Entered(first, 2, now) };
        }

        /// <summary>What is done in a new instance's first task, and what its history begins with.</summary>
        public async Task<Instance> Started(Caller caller, Instance instance)
        {
            InstanceId id = InstanceId.Of(instance);
            await MakeForms(caller, id, instance.Data, instance.Process.CurrentTask.ElementId);
            var events = new[] { Event(caller, instance, "process_StartEvent", instance.Process), Event(caller, instance, "process_StartTask", instance.Process) };
            return await storage.Move(caller, id, instance.Process, events, null);
        }

        /// <summary>
        /// Ends the current task and enters the next one, or the end. Refused with 409 when the task is not complete;
        /// nobody else moves the instance meanwhile.
        /// </summary>
        public async Task<Instance> Next(Caller caller, InstanceId id)
        {
            InstanceLock held = await Held(caller, id);
            try
            {
                Instance instance = await storage.Get(caller, id);
                string task = instance.Process?.CurrentTask?.ElementId ?? throw Fault.Conflict("The process of this instance has ended.");
                await DemandComplete(caller, instance, task);
                return await Moved(caller, instance, task, held);
            }
            finally
            {
                await Undo(() => storage.ReleaseLock(caller, id, held));
            }
        }

        private async Task<Instance> Moved(Caller caller, Instance instance, string task, InstanceLock held)
        {
            InstanceId id = InstanceId.Of(instance);
            ProcessDefinition.Element next = ProcessDefinition.Read(files).Next(task);
            var (state, events) = Step(caller, instance, next);
            var locked = new List<string>();
            try
            {
                if (next.IsTask)
                {
                    await MakeForms(caller, id, instance.Data, next.Id);
                }

                await LockData(caller, instance, task, locked);
                return await storage.Move(caller, id, state, events, held);
            }
            catch (PlatformFault)
            {
                // It still stands in the task, where its data must be open to changes.
                foreach (string element in locked)
                {
                    await Undo(() => storage.Unlock(caller, id, element));
                }

                throw;
            }
        }

        private (ProcessState State, List<InstanceEvent> Events) Step(Caller caller, Instance instance, ProcessDefinition.Element next)
        {
            DateTime now = DateTime.UtcNow;
            ProcessState before = instance.Process;
            before.CurrentTask.Ended = now;
            var events = new List<InstanceEvent> { Event(caller, instance, "process_EndTask", before) };
            var state = new ProcessState { Started = before.Started, StartEvent = before.StartEvent };
            if (next.IsTask)
            {
                state.CurrentTask = Entered(next, (before.CurrentTask.Flow ?? 1) + 1, now);
                events.Add(Event(caller, instance, "process_StartTask", state));
            }
            else
            {
                state.Ended = now;
                state.EndEvent = next.Id;
                events.Add(Event(caller, instance, "process_EndEvent", state));
                events.Add(Event(caller, instance, "Submited", state));
            }

            return (state, events);
        }

        private async Task DemandComplete(Caller caller, Instance instance, string task)
        {
            List<Logic.Issue> issues = await checks.Run(caller, instance, task);
            if (issues.Any(issue => issue.Severity == 1))
            {
                var fault = new Fault(409, "Validation failed for task", $"{issues.Count} validation errors found for task {task}");
                fault.More["validationIssues"] = issues;
                throw fault;
            }
        }

        /// <summary>What was sent in stays as it is. Puts down what it locked, as far as it came.</summary>
        private async Task LockData(Caller caller, Instance instance, string task, List<string> locked)
        {
            ApplicationMetadata app = ApplicationMetadata.Read(files);
            foreach (DataElement element in instance.Data.Where(element => !element.Locked && app.Type(element.DataType)?.TaskId == task))
            {
                await storage.Lock(caller, InstanceId.Of(instance), element.Id);
                locked.Add(element.Id);
            }
        }

        private async Task MakeForms(Caller caller, InstanceId id, List<DataElement> present, string task)
        {
            ApplicationMetadata app = ApplicationMetadata.Read(files);
            var wanted = app.DataTypes.Where(type => type.IsForm && type.AppLogic.AutoCreate == true && type.TaskId == task);
            foreach (ApplicationMetadata.DataType type in wanted.Where(type => present?.Any(element => element.DataType == type.Id) != true))
            {
                var form = FormType.Of(type);
                object model = form.Empty();
                Logic.FormLogic.Calculate(model);
                await storage.Add(caller, id, type.Id, form.ToStored(model), form.StoredAs);
            }
        }

        /// <summary>Only one step is taken at a time; who comes second is told so.</summary>
        private async Task<InstanceLock> Held(Caller caller, InstanceId id)
        {
            try
            {
                return await storage.TakeLock(caller, id);
            }
            catch (PlatformFault fault) when (fault.Status == 409)
            {
                throw Fault.Conflict("Somebody else takes this instance on just now.");
            }
        }

        /// <summary>Where this fails, what went before it still counts: locks of instances end by themselves.</summary>
        private async Task Undo(Func<Task> step)
        {
            try
            {
                await step();
            }
            catch (PlatformFault fault)
            {
                log.LogWarning("A step could not be undone: {Reason}", fault.Message);
            }
        }

        private static ProcessElementInfo Entered(ProcessDefinition.Element task, int flow, DateTime now) => new ProcessElementInfo
        {
            Flow = flow,
            Started = now,
            ElementId = task.Id,
            Name = task.Name,
            AltinnTaskType = task.TaskType,
            FlowType = "CompleteCurrentMoveToNext",
        };

        private static InstanceEvent Event(Caller caller, Instance instance, string type, ProcessState state) => new InstanceEvent
        {
            InstanceId = instance.Id,
            InstanceOwnerPartyId = instance.InstanceOwner.PartyId,
            EventType = type,
            Created = DateTime.UtcNow,
            User = caller.Performer,
            ProcessInfo = state,
        };
    }
}
